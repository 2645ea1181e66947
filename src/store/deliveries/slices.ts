import { sql } from 'kysely'
import type { Instant } from '../../time/clock.ts'
import { transaction } from '../drivers/transaction.ts'
import type { Engine } from '../engine.ts'
import { newId } from '../id.ts'
import type { Db, SliceRow } from '../schema.ts'
import { CountChange, statuses, writeCounts, zeroCounts } from './counts.ts'

/** A leased slice. `version` is that of the owner's last commit. */
export type SliceLease = Pick<SliceRow, 'editionId' | 'firstId' | 'lastId'> & { leaseId: string; version: number }

/** A large edition has slices of this many people; a small one has smaller slices, so that several workers share it. */
const maxSliceSize = 500
const minSliceSize = 50
const slicesOfPage = 16

/** Divides newly frozen deliveries, from one subscriber to another, into slices. */
export async function addSlices(
  db: Db,
  editionId: string,
  { after, last, people }: { after: string; last: string | undefined; people: number },
): Promise<void> {
  const size = Math.min(maxSliceSize, Math.max(minSliceSize, Math.ceil(people / slicesOfPage)))
  let numbered = db
    .selectFrom('deliveries')
    .select([
      'subscriberId',
      sql<number>`(row_number() over (order by subscriber_id) - 1) / ${sql.lit(size)}`.as('part'),
    ])
    .where('editionId', '=', editionId)
    .where('subscriberId', '>', after)
  if (last !== undefined) numbered = numbered.where('subscriberId', '<=', last)
  await db
    .insertInto('slices')
    .columns(['editionId', 'firstId', 'lastId', 'dueAt', 'leftOpen'])
    .expression(
      db
        .selectFrom(numbered.as('numbered'))
        .select((eb) => [
          sql<string>`${editionId}`.as('editionId'),
          eb.fn.min('subscriberId').as('firstId'),
          eb.fn.max('subscriberId').as('lastId'),
          sql<string>`''`.as('dueAt'),
          eb.fn.countAll<number>().as('leftOpen'),
        ])
        .groupBy('part'),
    )
    .execute()
}

/**
 * Leases a slice of the edition in which something can be sent: the one that begins with `firstId`, or the next one after
 * `after`. A slice that another worker is leasing is skipped. Undefined: there is none.
 */
export function leaseSlice(
  db: Db,
  engine: Engine,
  {
    editionId,
    workerId,
    after = '',
    firstId,
  }: { editionId: string; workerId: string; after?: string; firstId?: string },
  now: Instant,
): Promise<SliceLease | undefined> {
  return transaction(db, async (trx) => {
    let free = dueSlices(trx, editionId, now).where('firstId', '>', after).limit(1)
    if (firstId !== undefined) free = free.where('firstId', '=', firstId)
    const next = await engine.skipLocked(free).executeTakeFirst()
    if (!next) return undefined
    return await lease(trx, { editionId, firstId: next.firstId, workerId }, now)
  })
}

/** The slices that can be leased now, in order. */
function dueSlices(db: Db, editionId: string, now: Instant) {
  return db
    .selectFrom('slices')
    .select('firstId')
    .where('editionId', '=', editionId)
    .where('dueAt', '<=', now)
    .where('workerId', 'is', null)
    .orderBy('firstId')
}

/** The first subscribers of the slices with deliveries that can be sent now. */
export async function slicesDue(db: Db, editionId: string, now: Instant): Promise<string[]> {
  const rows = await dueSlices(db, editionId, now).execute()
  return rows.map(({ firstId }) => firstId)
}

async function lease(
  db: Db,
  { editionId, firstId, workerId }: { editionId: string; firstId: string; workerId: string },
  now: Instant,
): Promise<SliceLease | undefined> {
  const leaseId = newId(now)
  const row = await db
    .updateTable('slices')
    .set({ workerId, leaseId, version: 0 })
    .where('editionId', '=', editionId)
    .where('firstId', '=', firstId)
    .where('workerId', 'is', null)
    .returning('lastId')
    .executeTakeFirst()
  return row && { editionId, firstId, lastId: row.lastId, leaseId, version: 0 }
}

/** The slice with its state at the last commit, and its current lease. */
export function sliceNow(db: Db, { editionId, firstId }: Pick<SliceRow, 'editionId' | 'firstId'>) {
  return db
    .selectFrom('slices')
    .selectAll()
    .where('editionId', '=', editionId)
    .where('firstId', '=', firstId)
    .executeTakeFirst()
}

/** Slices that the worker leases, those of one edition or of all. */
export function slicesOf(db: Db, workerId: string, editionId?: string): Promise<SliceRow[]> {
  let query = db.selectFrom('slices').selectAll().where('workerId', '=', workerId)
  if (editionId !== undefined) query = query.where('editionId', '=', editionId)
  return query.orderBy('editionId').orderBy('firstId').execute()
}

/** Slices whose lease belongs to no registered worker. */
export function orphanedSlices(db: Db): Promise<SliceRow[]> {
  return db
    .selectFrom('slices')
    .selectAll()
    .where('workerId', 'is not', null)
    .where('workerId', 'not in', (eb) => eb.selectFrom('workers').select('id'))
    .orderBy('editionId')
    .orderBy('firstId')
    .execute()
}

/**
 * The first half of a release: prevents further commits of the owner. Returns the deliveries in flight; undefined if
 * the lease had ended before. Call it in a transaction.
 */
export async function endLease(
  db: Db,
  { editionId, firstId, leaseId }: Pick<SliceRow, 'editionId' | 'firstId' | 'leaseId'>,
): Promise<string[] | undefined> {
  if (leaseId === null) return undefined
  const row = await db
    .updateTable('slices')
    .set((eb) => ({ version: eb('version', '+', 1) }))
    .where('editionId', '=', editionId)
    .where('firstId', '=', firstId)
    .where('leaseId', '=', leaseId)
    .returningAll()
    .executeTakeFirst()
  return row && (JSON.parse(row.inFlight) as string[])
}

/**
 * The second half, once the deliveries in flight are settled: computes what is left and when it is due, and adds the
 * owner's counts to the edition's counters.
 */
export async function freeSlice(
  db: Db,
  { editionId, firstId }: Pick<SliceRow, 'editionId' | 'firstId'>,
): Promise<void> {
  const row = await sliceNow(db, { editionId, firstId })
  if (!row) return
  const { dueAt, leftOpen } = await leftIn(db, row)
  await db
    .updateTable('slices')
    .set({ workerId: null, leaseId: null, inFlight: '[]', dueAt, leftOpen, ...zeroCounts })
    .where('editionId', '=', editionId)
    .where('firstId', '=', firstId)
    .execute()
  const change = new CountChange()
  for (const status of statuses) change.add(status, row[status])
  await writeCounts(db, editionId, change)
}

async function leftIn(
  db: Db,
  { editionId, firstId, lastId }: Pick<SliceRow, 'editionId' | 'firstId' | 'lastId'>,
): Promise<Pick<SliceRow, 'dueAt' | 'leftOpen'>> {
  const released = db
    .selectFrom('canaries')
    .select('name')
    .where('editionId', '=', editionId)
    .where('releasedAt', 'is not', null)
  const { dueAt, leftOpen } = await db
    .selectFrom('deliveries')
    .select((eb) => [
      eb.fn
        .min(
          eb
            .case()
            .when(eb.or([eb('canary', 'is', null), eb('canary', 'in', released)]))
            .then(eb.fn.coalesce('nextAttemptAt', sql<string>`''`))
            .end(),
        )
        .as('dueAt'),
      eb.fn.countAll<number>().as('leftOpen'),
    ])
    .where('editionId', '=', editionId)
    .where('subscriberId', '>=', firstId)
    .where('subscriberId', '<=', lastId)
    .where('status', 'in', ['queued', 'deferred'])
    .executeTakeFirstOrThrow()
  return { dueAt: dueAt ?? null, leftOpen: Number(leftOpen) }
}

/** Marks the slices of these people as due, because a delivery can be sent; all slices if `subscriberIds` is absent. */
export async function markDue(db: Db, editionId: string, subscriberIds?: string[]): Promise<void> {
  if (subscriberIds?.length === 0) return
  const { first, last } = rangeOf(subscriberIds)
  let update = db.updateTable('slices').set({ dueAt: '' }).where('editionId', '=', editionId)
  if (first !== undefined) update = update.where('lastId', '>=', first)
  if (last !== undefined) update = update.where('firstId', '<=', last)
  await update.execute()
}

/**
 * The deliveries in flight to these people, or to all. Locks their slices against leases and new sending until the
 * transaction ends, so that no other change affects a message in flight; call it in a transaction.
 */
export async function lockInFlight(
  db: Db,
  engine: Pick<Engine, 'lockRows'>,
  editionId: string,
  subscriberIds?: string[],
): Promise<Set<string>> {
  if (subscriberIds?.length === 0) return new Set()
  const { first, last } = rangeOf(subscriberIds)
  let slices = db.selectFrom('slices').select('inFlight').where('editionId', '=', editionId).orderBy('firstId')
  if (first !== undefined) slices = slices.where('lastId', '>=', first)
  if (last !== undefined) slices = slices.where('firstId', '<=', last)
  return new Set((await engine.lockRows(slices).execute()).flatMap(({ inFlight }) => JSON.parse(inFlight) as string[]))
}

function rangeOf(ids: string[] = []): { first: string | undefined; last: string | undefined } {
  const inOrder = ids.toSorted()
  return { first: inOrder[0], last: inOrder.at(-1) }
}

/** When the next slice that is not due yet becomes due; undefined if none waits for a time. */
export async function nextSliceDue(db: Db, editionId: string): Promise<Instant | undefined> {
  const row = await db
    .selectFrom('slices')
    .select((eb) => eb.fn.min('dueAt').as('dueAt'))
    .where('editionId', '=', editionId)
    .where('dueAt', '!=', '')
    .executeTakeFirst()
  return row?.dueAt ?? undefined
}
