import type { Instant } from '../../time/clock.ts'
import { transaction } from '../drivers/transaction.ts'
import type { Reason } from '../events/reason.ts'
import { toJson } from '../json.ts'
import type { Db, SliceRow } from '../schema.ts'
import { CountChange, writeCounts } from './counts.ts'
import { endLease, freeSlice, markDue, orphanedSlices, slicesOf } from './slices.ts'

/**
 * Ends the lease of a slice. Deliveries still in flight may have been sent and become `unknown`, for the digest's rule to
 * settle; returns their number. Does nothing if the lease had ended before.
 */
export function releaseSlice(
  db: Db,
  slice: Pick<SliceRow, 'editionId' | 'firstId' | 'leaseId'>,
  now: Instant,
  code: 'sender-stopped' | 'reply-not-recorded' = 'reply-not-recorded',
): Promise<number> {
  return transaction(db, async (trx) => {
    const inFlight = await endLease(trx, slice)
    if (!inFlight) return 0
    const { editionId } = slice
    if (inFlight.length > 0) {
      await trx
        .updateTable('deliveries')
        .set((eb) => ({
          status: 'unknown',
          exception: 'unknown',
          workerId: null,
          attempts: eb('attempts', '+', 1),
          nextAttemptAt: null,
          reply: null,
          reason: toJson<Reason>({ code }),
          updatedAt: now,
        }))
        .where('editionId', '=', editionId)
        .where('subscriberId', 'in', inFlight)
        .execute()
    }
    const change = new CountChange()
    change.move('sending', 'unknown', inFlight.length)
    await freeSlice(trx, slice)
    await writeCounts(trx, editionId, change)
    return inFlight.length
  })
}

/** Frees the slices of a dead worker and marks its deliveries in flight as `unknown`. Returns their number. */
export async function markAbandoned(db: Db, workerId: string, now: Instant): Promise<number> {
  return await releaseAll(db, await slicesOf(db, workerId), now)
}

/** The same for slices leased by unregistered workers. */
export async function markOrphaned(db: Db, now: Instant): Promise<number> {
  return await releaseAll(db, await orphanedSlices(db), now)
}

/** Works in the order of editions and slices, so that two processes cannot deadlock. */
async function releaseAll(db: Db, slices: SliceRow[], now: Instant): Promise<number> {
  let count = 0
  for (const slice of slices) count += await releaseSlice(db, slice, now, 'sender-stopped')
  return count
}

/**
 * Queues the unknown deliveries of an edition again, with the same Message-ID (the rule `repeat`), up to `maxAttempts`
 * attempts. One that our crash cut off is due now; one that the relay cut off, at its next attempt.
 */
export function repeatUnknown(db: Db, editionId: string, maxAttempts: number, now: Instant): Promise<number> {
  return transaction(db, async (trx) => {
    const repeated = await trx
      .updateTable('deliveries')
      .set({ status: 'queued', exception: null, nextAttemptAt: null, updatedAt: now })
      .where('editionId', '=', editionId)
      .where('exception', '=', 'unknown')
      .where('attempts', '<', maxAttempts)
      .where((eb) => eb.or([eb('nextAttemptAt', 'is', null), eb('nextAttemptAt', '<=', now)]))
      .returning('subscriberId')
      .execute()
    const change = new CountChange()
    change.move('unknown', 'queued', repeated.length)
    await markDue(
      trx,
      editionId,
      repeated.map(({ subscriberId }) => subscriberId),
    )
    await writeCounts(trx, editionId, change)
    return repeated.length
  })
}

/** How many unknown deliveries the rule `repeat` may still queue again. */
export async function countRepeatable(db: Db, editionId: string, maxAttempts: number): Promise<number> {
  const row = await db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('editionId', '=', editionId)
    .where('exception', '=', 'unknown')
    .where('attempts', '<', maxAttempts)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

/**
 * How many times the connection broke during the relay's answer since it last accepted a message of the edition: the
 * attempts of deliveries that are `unknown` now. Interruptions by our own crash are not counted.
 */
export async function unknownsInARow(db: Db, editionId: string): Promise<number> {
  const accepted = await db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.max('updatedAt').as('at'))
    .where('editionId', '=', editionId)
    .where('status', '=', 'accepted')
    .executeTakeFirst()
  const row = await db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.sum<number | null>('attempts').as('tries'))
    .where('editionId', '=', editionId)
    .where('exception', '=', 'unknown')
    .where('workerId', 'is not', null)
    .where('updatedAt', '>=', accepted?.at ?? '')
    .executeTakeFirst()
  return Number(row?.tries ?? 0)
}
