import type { Digest } from '../../../editions/digest.ts'
import type { PastEvent } from '../../../store/events/event.ts'
import type { Reason } from '../../../store/events/reason.ts'
import { fromJson, type Json } from '../../../store/json.ts'

/** The title of a section; its name if the digest no longer has it. */
export function sectionTitle(digest: Digest | undefined, name: string): string {
  return digest?.sections.find((section) => section.name === name)?.title ?? name
}

/** A reason or an event whose sections have their titles in place of their names, for editors. */
export function withSectionTitles<Fact extends Reason | PastEvent>(
  fact: Fact | Json<Fact>,
  digest: Digest | undefined,
): Fact {
  return replaced(typeof fact === 'string' ? fromJson<Fact>(fact) : fact, digest) as Fact
}

function replaced(value: unknown, digest: Digest | undefined): unknown {
  if (Array.isArray(value)) return value.map((one) => replaced(one, digest))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      key === 'section' && typeof one === 'string' ? sectionTitle(digest, one) : replaced(one, digest),
    ]),
  )
}
