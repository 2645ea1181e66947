/**
 * The public addresses that stand in emails. They must work for as long as anybody keeps the email, so they live
 * here, once, and the pages take theirs from this table.
 */
export const publicPaths = {
  leave: '/leave/:key',
  preferences: '/preferences/:key',
  confirmation: '/confirm/:token', // in the email that confirms a subscription
  edition: '/editions/:id',
} as const

export function confirmationLink(webUrl: string, token: string): string {
  return webUrl + publicPaths.confirmation.replace(':token', token)
}

/** The links of one edition; `webUrl` is `web.url`, which has no slash at its end; `key` is a subscriber's key, or the slot that it will fill. */
export function editionLinks(webUrl: string, editionId: string, key: string) {
  const link = (path: string) => webUrl + path.replace(':key', key).replace(':id', editionId)
  return {
    leave: link(publicPaths.leave),
    preferences: link(publicPaths.preferences),
    view: link(publicPaths.edition),
  }
}
