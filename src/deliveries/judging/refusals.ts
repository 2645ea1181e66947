import { replyMeaning } from '../../mail/reply-rules/answers.ts'
import type { Refusal } from '../../store/deliveries/requeue.ts'
import type { Db } from '../../store/schema.ts'
import { addOutcome } from '../../store/subscribers/outcomes.ts'
import { lastAddressOutcome, wasAcceptedSince } from '../../store/subscribers/suppressions.ts'
import { suppress } from '../../subscribers/suppress.ts'
import { hour, type Instant, msBetween } from '../../time/clock.ts'

/** Two digests of one morning are one try: a second refusal counts when it comes at least so much later. */
const apart = 12 * hour

/**
 * Draws the consequence from refusals that were just made final, in the same transaction: an address that does not exist
 * is suppressed at once; one that is refused in a way that may pass, when the next edition is refused too and nothing
 * was taken between. A full mailbox, and whatever is not about the address, has no consequence.
 */
export async function handleRefusals(db: Db, editionId: string, refusals: Refusal[], now: Instant): Promise<void> {
  const inOrder = refusals.toSorted((a, b) => (a.subscriberId < b.subscriberId ? -1 : 1)) // two processes never wait for each other
  for (const { subscriberId, reply } of inOrder) {
    const { suppresses, message } = replyMeaning(reply)
    if (suppresses === 'never') continue
    const isLasting = suppresses === 'at once' || (await isSecond(db, { subscriberId, editionId }, now))
    if (isLasting) await suppress(db, { subscriberId, editionId, reason: `${message}: ${reply}` }, now)
    else await addOutcome(db, { kind: 'bounce', subscriberId, editionId, detail: `${message}: ${reply}` }, now)
  }
}

async function isSecond(
  db: Db,
  { subscriberId, editionId }: { subscriberId: string; editionId: string },
  now: Instant,
): Promise<boolean> {
  const last = await lastAddressOutcome(db, subscriberId)
  if (last?.kind !== 'bounce' || last.editionId === editionId || msBetween(last.at, now) < apart) return false
  return !(await wasAcceptedSince(db, subscriberId, last.at))
}
