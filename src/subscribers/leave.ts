import { transaction } from '../store/drivers/transaction.ts'
import type { Db } from '../store/schema.ts'
import { addOutcome } from '../store/subscribers/outcomes.ts'
import { endSubscription } from '../store/subscribers/subscribers.ts'
import type { Clock } from '../time/clock.ts'

/** What a subscriber did themselves: the edition whose link they used, and how ("one-click", "page"). */
export type SubscriberAction = { subscriberId: string; digest: string; editionId: string | null; how: string }

/** Ends the subscription at once (RFC 8058 §3.1); idempotent. Returns whether it ended now. */
export async function leave({ db, clock }: { db: Db; clock: Clock }, act: SubscriberAction): Promise<boolean> {
  return await transaction(db, async (trx) => {
    const ended = await endSubscription(trx, act.digest, act.subscriberId, clock.now())
    if (!ended) return false
    const { subscriberId, editionId, digest, how } = act
    const detail = { code: 'unsubscribed' as const, digest, how }
    await addOutcome(trx, { kind: 'leave', subscriberId, editionId, detail }, clock.now())
    return true
  })
}
