import { publicPaths } from '../mail/links.ts'

/** Every URL of the pages; those that emails contain come from `mail/links.ts`. A GET changes nothing. */
export const urls = {
  front: '/',
  style: '/style.css',
  health: '/health',
  asSent: '/editions/:id/as-sent', // the sealed bytes without the notes of corrections
  ...publicPaths, // leave: POST unsubscribes; preferences: POST renames, unsubscribes, or requests a confirmation email; confirmation: POST subscribes again
  signInRequest: '/sign-in', // POST sends a link by email
  signOut: '/sign-out', // POST only
  signOutEverywhere: '/sign-out-everywhere', // POST only: ends every session and unused link of this editor
  studio: '/studio',
  studioEdition: '/studio/editions/:id',
  preview: '/studio/editions/:id/preview',
  progress: '/studio/editions/:id/progress',
  approval: '/studio/editions/:id/approval', // GET asks to confirm, with the number of people; POST approves
  stop: '/studio/editions/:id/stop', // POST only, like the next six: holds the edition, or pauses it while it is being sent
  hold: '/studio/editions/:id/hold', // `hold` and `pause`: for pages opened before `stop` existed
  cancellation: '/studio/editions/:id/cancellation',
  pause: '/studio/editions/:id/pause',
  resumption: '/studio/editions/:id/resumption',
  retraction: '/studio/editions/:id/retraction', // of one article, from all editions
  restoration: '/studio/editions/:id/restoration',
  edits: '/studio/editions/:id/edits', // POST only: one change of an editor
  duplicates: '/studio/editions/:id/duplicates', // POST only: an article is not a duplicate
  editUndo: '/studio/editions/:id/edits/undo', // POST only
  sendingStop: '/studio/sending-stop', // POST only, like the next; for every newsletter
  sendingResumption: '/studio/sending-resumption',
  correctionDecision: '/studio/corrections/:id/decision', // POST only: accepts, dismisses, reopens or withdraws
  minorCorrections: '/studio/minor-corrections/dismissal', // POST only: dismisses rewordings and developments
  letters: '/studio/letters', // POST adds one
  letter: '/studio/letters/:id', // POST edits it
  withdrawal: '/studio/letters/:id/withdrawal', // POST only
  keptForms: '/studio/kept-forms', // forms sent after their session ended
  keptFormRemoval: '/studio/kept-forms/:id/removal', // POST only
  feedDecision: '/studio/feeds/:id/decision', // POST only: releases or ignores quarantined articles
} as const

/** The path with its one parameter filled in. */
export function pathTo(url: (typeof urls)[keyof typeof urls], value = ''): string {
  return url.replace(/:\w+/, encodeURIComponent(value))
}

/** The paths of links in the archive, which have no key: `/leave/` and `/leave`. */
export function withoutKeyPaths(url: typeof urls.leave | typeof urls.preferences): string[] {
  const bare = url.replace('/:key', '')
  return [bare, `${bare}/`]
}

/** Whether a path, with or without `base`, is a page for staff: the studio, signing in and out. */
export function isStaffPath(path: string, base: string): boolean {
  return /^\/(?:studio|sign-in|sign-out)/.test(path.startsWith(`${base}/`) ? path.slice(base.length) : path)
}

/** The path part of `web.url`: empty, or `/newsletter`. */
export function basePath(webUrl: string): string {
  return new URL(webUrl).pathname.replace(/\/+$/, '')
}
