import type { Instant } from '../../time/clock.ts'
import type { Reason } from '../events/reason.ts'
import { toJson } from '../json.ts'
import type { Db, OutcomeRow, SubscriberRow } from '../schema.ts'

/** Suppresses the person for all digests; false if they already are suppressed. */
export async function markSuppressed(db: Db, id: string, reason: Reason, now: Instant): Promise<boolean> {
  const marked = await db
    .updateTable('subscribers')
    .set({ suppressedAt: now, suppressedReason: toJson(reason) })
    .where('id', '=', id)
    .where('suppressedAt', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return marked !== undefined
}

/** Ends the suppression and returns the subscriber as it was; undefined if there was none. */
export async function liftSuppression(db: Db, emailKey: string): Promise<SubscriberRow | undefined> {
  const before = await db
    .selectFrom('subscribers')
    .selectAll()
    .where('emailKey', '=', emailKey)
    .where('suppressedAt', 'is not', null)
    .executeTakeFirst()
  if (!before) return undefined
  const lifted = await db
    .updateTable('subscribers')
    .set({ suppressedAt: null, suppressedReason: null })
    .where('id', '=', before.id)
    .where('suppressedAt', '=', before.suppressedAt)
    .returning('id')
    .executeTakeFirst()
  return lifted && before
}

/** The last outcome for the person's address: a permanent refusal, a suppression, or a release. */
export function lastAddressOutcome(db: Db, subscriberId: string): Promise<OutcomeRow | undefined> {
  return db
    .selectFrom('outcomes')
    .selectAll()
    .where('subscriberId', '=', subscriberId)
    .where('kind', 'in', ['bounce', 'suppress', 'release'])
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** Whether a relay accepted a message for the person after that instant. */
export async function wasAcceptedSince(db: Db, subscriberId: string, since: Instant): Promise<boolean> {
  const row = await db
    .selectFrom('deliveries')
    .select('editionId')
    .where('subscriberId', '=', subscriberId)
    .where('status', '=', 'accepted')
    .where('updatedAt', '>', since)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}
