import { transaction } from '../drivers/transaction.ts'
import type { Engine } from '../engine.ts'
import type { Db, DeliveryStatus } from '../schema.ts'

export type DeliveryCounts = Record<DeliveryStatus, number>

export const statuses = ['queued', 'sending', 'accepted', 'deferred', 'refused', 'unknown', 'skipped'] as const

export const zeroCounts: Readonly<DeliveryCounts> = {
  queued: 0,
  sending: 0,
  accepted: 0,
  deferred: 0,
  refused: 0,
  unknown: 0,
  skipped: 0,
}

/** Whether a message was or may have been delivered to at least one person. */
export function mayHaveArrived({ accepted, unknown, sending }: DeliveryCounts): boolean {
  return accepted + unknown + sending > 0
}

/** The `writer` of an edition's only row. */
const writer = 'shared'

/** A transaction's changes to the counters of one edition, collected for a single statement. */
export class CountChange {
  readonly #by: DeliveryCounts = { ...zeroCounts }

  move(from: DeliveryStatus, to: DeliveryStatus, count: number): void {
    this.#by[from] -= count
    this.#by[to] += count
  }

  add(status: DeliveryStatus, count: number): void {
    this.#by[status] += count
  }

  get values(): DeliveryCounts {
    return this.#by
  }

  get isEmpty(): boolean {
    return statuses.every((status) => this.#by[status] === 0)
  }
}

/**
 * Writes a transaction's changes to the counters of an edition; owners of slices write to their slices instead.
 * Call it last in the transaction: other processes wait for the row until the commit.
 */
export async function writeCounts(db: Db, editionId: string, change: CountChange): Promise<void> {
  if (change.isEmpty) return
  await db
    .insertInto('deliveryCounts')
    .values({ editionId, writer, ...change.values })
    .onConflict((conflict) =>
      conflict
        .columns(['editionId', 'writer'])
        .doUpdateSet((eb) =>
          Object.fromEntries(
            statuses.map((status) => [status, eb(`deliveryCounts.${status}`, '+', eb.ref(`excluded.${status}`))]),
          ),
        ),
    )
    .execute()
}

/**
 * The number of the edition's deliveries in each status, by the counters: a handful of rows for an edition of any size.
 */
export async function countDeliveries(db: Db, editionId: string): Promise<DeliveryCounts> {
  const leased = db
    .selectFrom('slices')
    .select(statuses)
    .where('editionId', '=', editionId)
    .where('workerId', 'is not', null)
  const rows = await db
    .selectFrom('deliveryCounts')
    .select(statuses)
    .where('editionId', '=', editionId)
    .unionAll(leased)
    .execute()
  const counts = { ...zeroCounts }
  for (const row of rows) for (const status of statuses) counts[status] += Number(row[status])
  return counts
}

/** Counts the deliveries and corrects the counters. Returns the counts. */
export function recountDeliveries(db: Db, engine: Engine, editionId: string): Promise<DeliveryCounts> {
  return transaction(db, async (trx) => {
    await engine.lockTable(trx, 'slices') // changes by other processes are added after ours
    await engine.lockTable(trx, 'deliveryCounts')
    const change = new CountChange()
    for (const { status, count } of await countRows(trx, editionId)) change.add(status, count)
    for (const status of await statusesInFlight(trx, editionId)) change.move(status, 'sending', 1)
    await trx.deleteFrom('deliveryCounts').where('editionId', '=', editionId).execute()
    await trx.updateTable('slices').set(zeroCounts).where('editionId', '=', editionId).execute()
    await writeCounts(trx, editionId, change)
    return { ...change.values }
  })
}

async function countRows(db: Db, editionId: string): Promise<{ status: DeliveryStatus; count: number }[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select(['status', (eb) => eb.fn.countAll<number>().as('count')])
    .where('editionId', '=', editionId)
    .groupBy('status')
    .execute()
  return rows.map(({ status, count }) => ({ status, count: Number(count) }))
}

/** The deliveries of the edition in flight, read without a lock. */
export async function inFlightOf(db: Db, editionId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('slices')
    .select('inFlight')
    .where('editionId', '=', editionId)
    .where('workerId', 'is not', null)
    .execute()
  return rows.flatMap(({ inFlight }) => JSON.parse(inFlight) as string[])
}

/** The stored status of each delivery in flight, which does not change before the relay's answer. */
async function statusesInFlight(db: Db, editionId: string): Promise<DeliveryStatus[]> {
  const ids = await inFlightOf(db, editionId)
  if (ids.length === 0) return []
  const rows = await db
    .selectFrom('deliveries')
    .select('status')
    .where('editionId', '=', editionId)
    .where('subscriberId', 'in', ids)
    .execute()
  return rows.map(({ status }) => status)
}

/**
 * The counters, checked against an index: whether deliveries are left to send decides whether the edition ends.
 * Counters that are wrong about that are corrected first.
 */
export async function countChecked(db: Db, engine: Engine, editionId: string): Promise<DeliveryCounts> {
  const counts = await countDeliveries(db, editionId)
  const isLeft = counts.queued + counts.sending + counts.deferred > 0
  const isSound = statuses.every((status) => counts[status] >= 0)
  if (isSound && isLeft === (await isAnyLeft(db, editionId))) return counts
  return await recountDeliveries(db, engine, editionId)
}

async function isAnyLeft(db: Db, editionId: string): Promise<boolean> {
  const one = await db
    .selectFrom('slices')
    .select('firstId')
    .where('editionId', '=', editionId)
    .where((eb) => eb.or([eb('workerId', 'is not', null), eb('leftOpen', '>', 0)]))
    .limit(1)
    .executeTakeFirst()
  return one !== undefined
}

/** Rows per count, which takes a few milliseconds; between two counts other work can run. */
const rowsAtATime = 20_000

/**
 * Counts the deliveries of a finished edition, a page at a time, and corrects the counters where they differ.
 * Returns the old counters if they were wrong.
 */
export async function verifyCounts(db: Db, engine: Engine, editionId: string): Promise<DeliveryCounts | undefined> {
  const before = await countDeliveries(db, editionId)
  const counted = await countByPages(db, editionId)
  if (statuses.every((status) => counted[status] === before[status])) return undefined
  await recountDeliveries(db, engine, editionId)
  return before
}

async function countByPages(db: Db, editionId: string): Promise<DeliveryCounts> {
  const counts = { ...zeroCounts }
  for (let after: string | undefined = ''; after !== undefined; ) {
    const page = db
      .selectFrom('deliveries')
      .select(['subscriberId', 'status'])
      .where('editionId', '=', editionId)
      .where('subscriberId', '>', after)
      .orderBy('subscriberId')
      .limit(rowsAtATime)
    const rows: { status: DeliveryStatus; count: number; last: string }[] = await db
      .selectFrom(page.as('page'))
      .select((eb) => ['status' as const, eb.fn.countAll<number>().as('count'), eb.fn.max('subscriberId').as('last')])
      .groupBy('status')
      .execute()
    for (const { status, count } of rows) counts[status] += Number(count)
    after = rows
      .map(({ last }) => last)
      .sort()
      .at(-1)
    await new Promise(setImmediate)
  }
  return counts
}
