import type { Instant } from '../../time/clock.ts'
import { transaction } from '../drivers/transaction.ts'
import type { Engine } from '../engine.ts'
import type { Reason } from '../events/reason.ts'
import { fromJson, toJson } from '../json.ts'
import type { Db, SubscriberRow, SubscriptionRow } from '../schema.ts'
import { CountChange, writeCounts } from './counts.ts'
import { lockInFlight } from './slices.ts'

/** Skips a delivery whose person left or was suppressed after the audience was frozen, with the reason; false if neither. */
export async function skipIfGone(
  db: Db,
  engine: Engine,
  { editionId, subscriberId }: { editionId: string; subscriberId: string },
  now: Instant,
): Promise<boolean> {
  const person = await db
    .selectFrom('editions')
    .innerJoin('subscriptions', 'subscriptions.digest', 'editions.digest')
    .innerJoin('subscribers', 'subscribers.id', 'subscriptions.subscriberId')
    .select(['subscriptions.leftAt', 'subscribers.suppressedAt', 'subscribers.suppressedReason'])
    .where('editions.id', '=', editionId)
    .where('subscribers.id', '=', subscriberId)
    .executeTakeFirst()
  const reason = person && goneReason(person)
  if (!reason) return false
  return (await skip(db, engine, { editionId, subscriberId }, reason, now)) > 0
}

function goneReason({
  leftAt,
  suppressedAt,
  suppressedReason,
}: Pick<SubscriptionRow, 'leftAt'> & Pick<SubscriberRow, 'suppressedAt' | 'suppressedReason'>): Reason | undefined {
  if (leftAt !== null) return { code: 'left', at: leftAt }
  if (suppressedAt === null) return undefined
  return { code: 'suppressed', at: suppressedAt, reason: suppressedReason && fromJson(suppressedReason) }
}

/** Skips all deliveries that are neither sent nor in flight. */
export async function skipUnsent(
  db: Db,
  engine: Engine,
  editionId: string,
  reason: Reason,
  now: Instant,
): Promise<void> {
  await transaction(db, async (trx) => {
    await skip(trx, engine, { editionId }, reason, now)
    await trx.updateTable('slices').set({ dueAt: null, leftOpen: 0 }).where('editionId', '=', editionId).execute()
  })
}

/** Skips the unsent deliveries of an edition, or only those to one person. Returns their number. */
function skip(
  db: Db,
  engine: Engine,
  { editionId, subscriberId }: { editionId: string; subscriberId?: string },
  reason: Reason,
  now: Instant,
): Promise<number> {
  return transaction(db, async (trx) => {
    const ids = subscriberId === undefined ? undefined : [subscriberId]
    const inFlight = [...(await lockInFlight(trx, engine, editionId, ids))]
    const change = new CountChange()
    for (const status of ['queued', 'deferred'] as const) {
      let update = trx
        .updateTable('deliveries')
        .set({ status: 'skipped', exception: null, reason: toJson(reason), nextAttemptAt: null, updatedAt: now })
        .where('editionId', '=', editionId)
        .where('status', '=', status)
      if (inFlight.length > 0) update = update.where('subscriberId', 'not in', inFlight)
      if (subscriberId !== undefined) update = update.where('subscriberId', '=', subscriberId)
      change.move(status, 'skipped', Number((await update.executeTakeFirst()).numUpdatedRows))
    }
    await writeCounts(trx, editionId, change)
    return change.values.skipped
  })
}
