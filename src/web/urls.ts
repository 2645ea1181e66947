import { publicPaths } from '../mail/links.ts'

/** Every address that we answer. Those that stand in emails come from `messages/links.ts`. A GET changes nothing. */
export const urls = {
  front: '/',
  style: '/style.css',
  health: '/health',
  asSent: '/editions/:id/as-sent', // the sealed bytes alone, also when the archive notes corrections above them
  ...publicPaths, // POST leave leaves; POST preferences renames, leaves, or asks to subscribe again; POST confirmation does so
  signIn: '/sign-in/:token', // POST uses the link up
  signOut: '/sign-out', // POST only
  signOutEverywhere: '/sign-out-everywhere', // POST only: ends every session and unused link of that name
  studio: '/studio',
  studioEdition: '/studio/editions/:id',
  preview: '/studio/editions/:id/preview',
  progress: '/studio/editions/:id/progress',
  approval: '/studio/editions/:id/approval', // GET asks once more, with the number of people; POST approves
  stop: '/studio/editions/:id/stop', // POST only, as the six below: holds or pauses, whichever the state needs
  hold: '/studio/editions/:id/hold', // this and `pause` are for pages that were opened before there was `stop`
  cancellation: '/studio/editions/:id/cancellation',
  pause: '/studio/editions/:id/pause',
  resumption: '/studio/editions/:id/resumption',
  retraction: '/studio/editions/:id/retraction', // one of its articles, for all editions
  restoration: '/studio/editions/:id/restoration',
  edits: '/studio/editions/:id/edits', // POST only: one change of an editor
  editUndo: '/studio/editions/:id/edits/undo', // POST only
  sendingStop: '/studio/sending-stop', // POST only, as the next: of every newsletter
  sendingResumption: '/studio/sending-resumption',
  correctionDecision: '/studio/corrections/:id/decision', // POST only: accepts, dismisses, or takes either back
  letters: '/studio/letters', // POST keeps one
  letter: '/studio/letters/:id', // POST rewords it
  withdrawal: '/studio/letters/:id/withdrawal', // POST only
  keptForms: '/studio/kept-forms', // what was typed into a form after its session had ended
  keptFormRemoval: '/studio/kept-forms/:id/removal', // POST only
  feedDecision: '/studio/feeds/:id/decision', // POST only: what a feed showed all at once is new, or old
} as const

/** The path with its one hole filled. */
export function pathTo(url: (typeof urls)[keyof typeof urls], value = ''): string {
  return url.replace(/:\w+/, encodeURIComponent(value))
}

/** What the archive's links look like, whose slots are empty: `/leave/` and `/leave`. */
export function withoutKeyPaths(url: typeof urls.leave | typeof urls.preferences): string[] {
  const bare = url.replace('/:key', '')
  return [bare, `${bare}/`]
}

/** The path under which the pages stand, as part of `web.url`: empty, or `/newsletter`. */
export function basePath(webUrl: string): string {
  return new URL(webUrl).pathname.replace(/\/+$/, '')
}
