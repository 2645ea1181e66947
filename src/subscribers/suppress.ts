import { AppError } from '../errors.ts'
import { transaction } from '../store/drivers/transaction.ts'
import type { Reason } from '../store/events/reason.ts'
import { fromJson } from '../store/json.ts'
import type { Db, SubscriberRow } from '../store/schema.ts'
import { addOutcome } from '../store/subscribers/outcomes.ts'
import { subscriberByEmail } from '../store/subscribers/subscribers.ts'
import { liftSuppression, markSuppressed } from '../store/subscribers/suppressions.ts'
import type { Clock, Instant } from '../time/clock.ts'
import { addressKey, parseAddress } from './address.ts'

/** Suppresses a person for all digests and records the reason; idempotent. Returns whether they were suppressed now. */
export async function suppress(
  db: Db,
  { subscriberId, editionId, reason }: { subscriberId: string; editionId: string | null; reason: Reason },
  now: Instant,
): Promise<boolean> {
  return await transaction(db, async (trx) => {
    const suppressed = await markSuppressed(trx, subscriberId, reason, now)
    if (suppressed) await addOutcome(trx, { kind: 'suppress', subscriberId, editionId, detail: reason }, now)
    return suppressed
  })
}

/**
 * Lifts a suppression and records who decided it; a person who left stays unsubscribed. Returns the subscriber as they
 * were. AppError `missing` for an unknown address, `conflict` for one that is not suppressed.
 */
export async function unsuppress(
  { db, clock }: { db: Db; clock: Clock },
  address: string,
  { who, reason }: { who: string; reason: string },
): Promise<SubscriberRow> {
  const key = addressKey(parseAddress(address) ?? address)
  return await transaction(db, async (trx) => {
    const before = await liftSuppression(trx, key)
    if (before) {
      const { suppressedAt, suppressedReason } = before
      const earlier = suppressedReason && fromJson(suppressedReason)
      const words = reason === '' ? null : reason
      const detail: Reason = { code: 'released', who, words, suppressedAt: suppressedAt ?? '', reason: earlier }
      await addOutcome(trx, { kind: 'release', subscriberId: before.id, editionId: null, detail }, clock.now())
      return before
    }
    if (await subscriberByEmail(trx, key)) throw new AppError('conflict', `${address} is not suppressed`)
    throw new AppError('missing', `no subscriber has the address ${address}`, {
      hint: 'lastword subscribers list prints them all.',
    })
  })
}
