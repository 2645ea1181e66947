import { editionId } from '../../store/id.ts'
import type { EditionRow } from '../../store/schema.ts'
import type { Instant } from '../../time/clock.ts'
import type { Digest } from '../digest.ts'
import { timingJson } from '../schedule/timing.ts'

/** An empty edition of the digest, due at `dueAt`. */
export function blankEdition(secret: string, digest: Digest, dueAt: Instant, composedAt: Instant): EditionRow {
  const id = editionId(secret, digest.name, dueAt)
  const never = { sealedAt: null, approvedAt: null, audienceAt: null, finishedAt: null, overriddenAt: null }
  const empty = { number: null, status: 'composed' as const, reason: null, subject: '', preheader: '' }
  const timing = timingJson(digest, dueAt)
  const { name, archive } = digest
  const made = { dueAt, composedAt, timing, archive, datedAt: dueAt, heldBy: null, revision: 0 }
  return { id, ref: id.slice(-8), digest: name, ...made, ...empty, ...never }
}
