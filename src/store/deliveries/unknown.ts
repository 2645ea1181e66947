import type { Instant } from '../../time/clock.ts'
import { transaction } from '../drivers/transaction.ts'
import type { Db, SliceRow } from '../schema.ts'
import { CountChange, writeCounts } from './counts.ts'
import { endLease, freeSlice, markDue, orphanedSlices, slicesOf } from './slices.ts'

const senderStopped = 'the sender stopped before the relay had answered'
const notRecorded = 'the answer of the relay could not be recorded'

/**
 * Ends the lease of a slice. What is in flight all the same may be out, and is `unknown` until the digest's rule says what
 * to do; returns how many deliveries those are. Does nothing if the lease had ended before.
 */
export function releaseSlice(
  db: Db,
  slice: Pick<SliceRow, 'editionId' | 'firstId' | 'leaseId'>,
  now: Instant,
  reply = notRecorded,
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
          reply,
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

/** What a dead worker had leased is free again; what it had in flight is unknown. Returns how many deliveries that were. */
export async function markAbandoned(db: Db, workerId: string, now: Instant): Promise<number> {
  return await releaseAll(db, await slicesOf(db, workerId), now)
}

/** The same for what no registered worker has. */
export async function markOrphaned(db: Db, now: Instant): Promise<number> {
  return await releaseAll(db, await orphanedSlices(db), now)
}

/** In the order of editions and slices, so that two that do this at once never wait for each other in a circle. */
async function releaseAll(db: Db, slices: SliceRow[], now: Instant): Promise<number> {
  let count = 0
  for (const slice of slices) count += await releaseSlice(db, slice, now, senderStopped)
  return count
}

/**
 * Queues the unknown deliveries of an edition again, with the same Message-ID: the rule `repeat`. One that a crash cut
 * off goes at once, one that the relay cut off when its time has come; none more often than `maxAttempts`.
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

/** How many unknown deliveries the rule `repeat` has not done with. */
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
 * How often messages of the edition were cut off inside the relay's answer since it accepted one: the tries of those that
 * are unknown now. What a crash of ours cut off is not counted.
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
