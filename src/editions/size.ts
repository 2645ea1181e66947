import { describeReason } from '../describe/describe.ts'
import { keyLength } from '../mail/keys.ts'
import type { ReasonOf } from '../store/events/reason.ts'
import type { VariantRow } from '../store/schema.ts'

/** Gmail shows this much HTML of a message and hides the rest, including the unsubscribe link, behind a link. */
const clipLimitBytes = 102 * 1024

/** A person must approve an edition with more HTML than this: phones fail and mailboxes fill. */
const maxHtmlBytes = 1024 * 1024

/** Size in bytes of the HTML as delivered, with a subscriber's key in place of each slot. */
export function htmlBytes({ html, slot }: Pick<VariantRow, 'html' | 'slot'>): number {
  const slots = slot === '' ? 0 : html.split(slot).length - 1
  return Buffer.byteLength(html) + slots * (keyLength - Buffer.byteLength(slot))
}

/** Whether an edition is too large for approval by a rule or without an override. */
export function isTooLarge(bytes: number): boolean {
  return bytes > maxHtmlBytes
}

/** The size problem of an email; undefined if there is none. */
export function sizeProblem(bytes: number): ReasonOf<'too-large' | 'clipped'> | undefined {
  if (isTooLarge(bytes)) return { code: 'too-large', bytes }
  return bytes > clipLimitBytes ? { code: 'clipped', bytes } : undefined
}

/** The size problem as a message for a person. */
export function sizeWarning(bytes: number): string | undefined {
  const problem = sizeProblem(bytes)
  return problem && describeReason(problem)
}
