import { describeReason } from '../describe/describe.ts'
import { keyLength } from '../mail/keys.ts'
import type { ReasonOf } from '../store/events/reason.ts'
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

/** What is wrong with the size of an email; undefined if nothing is. */
export function sizeProblem(bytes: number): ReasonOf<'too-large' | 'clipped'> | undefined {
  if (isTooLarge(bytes)) return { code: 'too-large', bytes }
  return bytes > clipLimitBytes ? { code: 'clipped', bytes } : undefined
}

/** The same for a person. */
export function sizeWarning(bytes: number): string | undefined {
  const problem = sizeProblem(bytes)
  return problem && describeReason(problem)
}
