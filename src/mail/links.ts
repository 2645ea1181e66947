/** The paths of public pages in emails, also used by the pages. They must never change, since people keep emails. */
export const publicPaths = {
  leave: '/leave/:key',
  preferences: '/preferences/:key',
  confirmation: '/confirm/:token', // in the email that confirms a subscription
  signIn: '/sign-in/:token', // POST uses the link up
  edition: '/editions/:id',
  picture: '/pictures/:file', // `file`: the SHA-256 and the type
} as const

export function confirmationLink(webUrl: string, token: string): string {
  return webUrl + publicPaths.confirmation.replace(':token', token)
}

/** The links of an edition. `webUrl` has no slash at the end; `key` is a subscriber's key, or the slot for it. */
export function editionLinks(webUrl: string, editionId: string, key: string) {
  const link = (path: string) => webUrl + path.replace(':key', key).replace(':id', editionId)
  return {
    leave: link(publicPaths.leave),
    preferences: link(publicPaths.preferences),
    view: link(publicPaths.edition),
  }
}

/** The address of a stored picture. */
export function pictureLink(webUrl: string, { hash, type }: { hash: string; type: string }): string {
  return webUrl + publicPaths.picture.replace(':file', `${hash}.${type}`)
}

/** `next`: the path of the page to open after signing in. */
export function signInLink(webUrl: string, token: string, next = ''): string {
  const link = webUrl + publicPaths.signIn.replace(':token', token)
  return next === '' ? link : `${link}?next=${encodeURIComponent(next)}`
}
