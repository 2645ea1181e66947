import { describeReason } from '../describe/describe.ts'
import type { RejectionRow } from '../store/schema.ts'

/** `“A title” (data:image/png): its link is not an address of the web`, with what the entry has of them. */
export function rejectionText({ title, link, guid, reason }: Pick<RejectionRow, 'title' | 'link' | 'guid' | 'reason'>) {
  const name = title === '' ? 'an entry without a title' : `“${title}”`
  const place = link || guid
  if (title + place === '') return describeReason(reason)
  return `${name}${place === '' ? '' : ` (${place})`}: ${describeReason(reason)}`
}
