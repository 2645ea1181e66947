import { keyLength } from '../mail/keys.ts'
import type { VariantRow } from '../store/schema.ts'

/** Gmail shows so many bytes of a message's HTML, and the rest, with the unsubscribe link, behind a link of its own. */
const clipLimitBytes = 102 * 1024

/** More HTML than this goes out only by somebody's decision: phones stop, and mailboxes fill. */
const maxHtmlBytes = 1024 * 1024

/** The bytes of the HTML as each subscriber gets it: with their own key in the place of the slot. */
export function htmlBytes({ html, slot }: Pick<VariantRow, 'html' | 'slot'>): number {
  const slots = slot === '' ? 0 : html.split(slot).length - 1
  return Buffer.byteLength(html) + slots * (keyLength - Buffer.byteLength(slot))
}

/** True for an edition that is not to be sent by a rule, nor approved by one press. */
export function isTooLarge(bytes: number): boolean {
  return bytes > maxHtmlBytes
}

/** What to say of the size of an email, for a person; undefined if there is nothing to say. */
export function sizeWarning(bytes: number): string | undefined {
  const cure = 'choose fewer articles, or do not print them whole'
  if (isTooLarge(bytes)) return `the email has ${sizeText(bytes)}, and no more than 1 MB is sent: ${cure}`
  if (bytes <= clipLimitBytes) return undefined
  return `the email has ${sizeText(bytes)}; Gmail shows the first 102 KB and hides the rest, with the unsubscribe link: ${cure}`
}

function sizeText(bytes: number): string {
  const kilobytes = Math.ceil(bytes / 1024)
  return isTooLarge(bytes) ? `${(Math.ceil((bytes * 10) / 1024 / 1024) / 10).toFixed(1)} MB` : `${kilobytes} KB`
}
