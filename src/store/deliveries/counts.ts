import { type Placeholder, runPrepared } from '../drivers/prepared-statements.ts'
import { transaction } from '../drivers/transaction.ts'
import type { Engine } from '../engine.ts'
import type { Db, DeliveryCountsRow, DeliveryStatus } from '../schema.ts'

export type DeliveryCounts = Record<DeliveryStatus, number>

const statuses = ['queued', 'sending', 'accepted', 'deferred', 'refused', 'unknown', 'skipped'] as const

const zeroCounts: DeliveryCounts = {
  queued: 0,
  sending: 0,
  accepted: 0,
  deferred: 0,
  refused: 0,
  unknown: 0,
  skipped: 0,
}

/** The writer of everything that is not done by a sender for its own deliveries. */
const sharedWriter = 'shared'

/** What a transaction changes in the counters of one edition. Gathered first, so that it is written in one statement. */
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
 * Writes what a sender changed, to a row of its own: several processes never wait for each other here. To be called in
 * the transaction that makes the change.
 */
export async function writeCounts(
  db: Db,
  { editionId, workerId }: { editionId: string; workerId: string },
  change: CountChange,
): Promise<void> {
  if (change.isEmpty) return
  await addCountsQuery(db, { editionId, writer: workerId, ...change.values }).execute()
}

/** The same, by a statement that is built once: for every commit of a sender. */
export async function writeCountsPrepared(
  db: Db,
  engine: Pick<Engine, 'name'>,
  { editionId, workerId }: { editionId: string; workerId: string },
  change: CountChange,
): Promise<void> {
  if (change.isEmpty) return
  await runPrepared(db, engine, {
    name: 'count deliveries',
    values: { editionId, writer: workerId, ...change.values },
    build: (value) => addCountsQuery(db, rowOf(value)),
  })
}

/** The same for what anybody else changes, in a row that all share. Take it last: others wait for it until the commit. */
export async function writeSharedCounts(db: Db, editionId: string, change: CountChange): Promise<void> {
  if (change.isEmpty) return
  await addCountsQuery(db, { editionId, writer: sharedWriter, ...change.values }).execute()
}

function rowOf(value: Placeholder): DeliveryCountsRow {
  const counts = Object.fromEntries(statuses.map((status) => [status, value(status)]))
  return { editionId: value('editionId'), writer: value('writer'), ...counts } as unknown as DeliveryCountsRow
}

function addCountsQuery(db: Db, row: DeliveryCountsRow) {
  return db
    .insertInto('deliveryCounts')
    .values(row)
    .onConflict((conflict) =>
      conflict
        .columns(['editionId', 'writer'])
        .doUpdateSet((eb) =>
          Object.fromEntries(
            statuses.map((status) => [status, eb(`deliveryCounts.${status}`, '+', eb.ref(`excluded.${status}`))]),
          ),
        ),
    )
}

/** How many deliveries of the edition have each status, by the counters: a handful of rows, whatever its size. */
export async function countDeliveries(db: Db, editionId: string): Promise<DeliveryCounts> {
  const row = await db
    .selectFrom('deliveryCounts')
    .select((eb) => statuses.map((status) => eb.fn.sum<number | null>(status).as(status)))
    .where('editionId', '=', editionId)
    .executeTakeFirst()
  const counts = { ...zeroCounts }
  for (const status of statuses) counts[status] = Number(row?.[status] ?? 0)
  return counts
}

/** Adds the rows of senders that no longer exist to the shared one, so that there are never more rows than senders. */
export async function foldCounts(db: Db): Promise<void> {
  const gone = await db
    .selectFrom('deliveryCounts')
    .select(['editionId', 'writer'])
    .where('writer', '!=', sharedWriter)
    .where('writer', 'not in', (eb) => eb.selectFrom('workers').select('id'))
    .execute()
  for (const row of gone) await transaction(db, (trx) => foldRow(trx, row)) // one at a time: two processes may do this at once
}

async function foldRow(db: Db, { editionId, writer }: Pick<DeliveryCountsRow, 'editionId' | 'writer'>): Promise<void> {
  const row = await db
    .deleteFrom('deliveryCounts')
    .where('editionId', '=', editionId)
    .where('writer', '=', writer)
    .returningAll()
    .executeTakeFirst()
  if (row) await addCountsQuery(db, { ...row, writer: sharedWriter }).execute()
}

/** Counts the deliveries themselves, and sets the counters right. Returns what was counted. */
export function recountDeliveries(db: Db, engine: Engine, editionId: string): Promise<DeliveryCounts> {
  return transaction(db, async (trx) => {
    await engine.lockTable(trx, 'deliveryCounts') // what others change meanwhile is added after us
    const rows = await trx
      .selectFrom('deliveries')
      .select(['status', (eb) => eb.fn.countAll<number>().as('count')])
      .where('editionId', '=', editionId)
      .groupBy('status')
      .execute()
    const change = new CountChange()
    for (const { status, count } of rows) change.add(status, Number(count))
    await trx.deleteFrom('deliveryCounts').where('editionId', '=', editionId).execute()
    await writeSharedCounts(trx, editionId, change)
    return { ...change.values }
  })
}

/**
 * The counters, held against an index: whether a delivery is left to send decides whether an edition ends. Counters that
 * are wrong about that are set right first.
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
    .selectFrom('deliveries')
    .select('subscriberId')
    .where('editionId', '=', editionId)
    .where('status', 'in', ['queued', 'sending', 'deferred'])
    .limit(1)
    .executeTakeFirst()
  return one !== undefined
}

/** So many rows are counted in a few milliseconds; then others get their turn. */
const maxRowsPerCount = 20_000

/**
 * Counts the deliveries of an edition that has ended, a page at a time, and sets the counters right where they differ.
 * Returns the counters as they were if they were wrong.
 */
export async function verifyCounts(db: Db, engine: Engine, editionId: string): Promise<DeliveryCounts | undefined> {
  const before = await countDeliveries(db, editionId)
  for (const status of statuses) {
    if ((await countByPages(db, editionId, status)) === before[status]) continue
    await recountDeliveries(db, engine, editionId)
    return before
  }
  return undefined
}

async function countByPages(db: Db, editionId: string, status: DeliveryStatus): Promise<number> {
  let total = 0
  for (let after = ''; ; ) {
    const page = db
      .selectFrom('deliveries')
      .select('subscriberId')
      .where('editionId', '=', editionId)
      .where('status', '=', status)
      .where('subscriberId', '>', after)
      .orderBy('subscriberId')
      .limit(maxRowsPerCount)
    const { count, last } = await db
      .selectFrom(page.as('page'))
      .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.max('subscriberId').as('last')])
      .executeTakeFirstOrThrow()
    total += Number(count)
    if (Number(count) < maxRowsPerCount) return total
    after = last
    await new Promise(setImmediate)
  }
}
