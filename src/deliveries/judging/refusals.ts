import { causeOf } from '../../mail/reply-rules/answers.ts'
import { causes } from '../../mail/reply-rules/cause.ts'
import type { Refusal } from '../../store/deliveries/requeue.ts'
import type { Db } from '../../store/schema.ts'
import { addOutcome } from '../../store/subscribers/outcomes.ts'
import { lastAddressOutcome, wasAcceptedSince } from '../../store/subscribers/suppressions.ts'
import { suppress } from '../../subscribers/suppress.ts'
import { hour, type Instant, msBetween } from '../../time/clock.ts'

/** A second refusal counts only if it comes at least this much later: two digests on one morning are one try. */
const minTimeApartMs = 12 * hour

/**
 * Suppresses addresses after final refusals, in the same transaction: unknown addresses at once, temporary ones if the
 * next edition is refused too with no acceptance between. A full mailbox and refusals not about the address have no
 * effect.
 */
export async function handleRefusals(db: Db, editionId: string, refusals: Refusal[], now: Instant): Promise<void> {
  const inOrder = refusals.toSorted((a, b) => (a.subscriberId < b.subscriberId ? -1 : 1)) // the same order in every process prevents deadlocks
  for (const { subscriberId, reply } of inOrder) {
    const cause = causeOf(reply)
    const { suppresses } = causes[cause]
    if (suppresses === 'never') continue
    const isLasting = suppresses === 'at once' || (await isSecond(db, { subscriberId, editionId }, now))
    const reason = { code: 'refused' as const, cause, reply }
    if (isLasting) await suppress(db, { subscriberId, editionId, reason }, now)
    else await addOutcome(db, { kind: 'bounce', subscriberId, editionId, detail: reason }, now)
  }
}

async function isSecond(
  db: Db,
  { subscriberId, editionId }: { subscriberId: string; editionId: string },
  now: Instant,
): Promise<boolean> {
  const last = await lastAddressOutcome(db, subscriberId)
  if (last?.kind !== 'bounce' || last.editionId === editionId || msBetween(last.at, now) < minTimeApartMs) return false
  return !(await wasAcceptedSince(db, subscriberId, last.at))
}
