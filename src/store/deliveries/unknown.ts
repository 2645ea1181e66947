import type { Instant } from '../../time/clock.ts'
import { transaction } from '../drivers/transaction.ts'
import type { Db } from '../schema.ts'
import { CountChange, foldCounts, writeCounts, writeSharedCounts } from './counts.ts'

const cutOffResult = {
  status: 'unknown',
  workerId: null,
  reply: 'the sender stopped before the relay had answered',
} as const

/** Leaves nothing out; but with each edition named an index finds the few that are being sent, and years of others are not read. */
const allEditionIds = (db: Db) => db.selectFrom('editions').select('editions.id')

/** What a dead worker had in its hands may be out: unknown, until the digest's rule says what to do. */
export function markAbandoned(db: Db, workerId: string, now: Instant): Promise<number> {
  return transaction(db, async (trx) => {
    const cut = await cutOffUpdate(trx, now).where('workerId', '=', workerId).returning('editionId').execute()
    return await recordCutOff(trx, cut)
  })
}

/** The same for what a worker that lives still has of an edition that it sends no more, whose answers it could not record. */
export function markOwnAbandoned(
  db: Db,
  { editionId, workerId }: { editionId: string; workerId: string },
  now: Instant,
): Promise<number> {
  return transaction(db, async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('deliveries')
      .set({ ...cutOffResult, reply: 'the answer of the relay could not be recorded', updatedAt: now })
      .where('editionId', '=', editionId)
      .where('status', '=', 'sending')
      .where('workerId', '=', workerId)
      .executeTakeFirst()
    const change = new CountChange()
    change.move('sending', 'unknown', Number(numUpdatedRows))
    await writeCounts(trx, { editionId, workerId }, change)
    return Number(numUpdatedRows)
  })
}

/** The same for what no worker is known to have any more, whose counters are folded into the shared ones. */
export async function markOrphaned(db: Db, now: Instant): Promise<number> {
  const count = await transaction(db, async (trx) => {
    const cut = await cutOffUpdate(trx, now)
      .where('workerId', 'not in', (eb) => eb.selectFrom('workers').select('id'))
      .returning('editionId')
      .execute()
    return await recordCutOff(trx, cut)
  })
  await foldCounts(db)
  return count
}

function cutOffUpdate(db: Db, now: Instant) {
  return db
    .updateTable('deliveries')
    .set({ ...cutOffResult, updatedAt: now })
    .where('editionId', 'in', allEditionIds(db))
    .where('status', '=', 'sending')
}

/** In the order of editions, so that two that do this at once never wait for each other in a circle. */
async function recordCutOff(db: Db, cut: { editionId: string }[]): Promise<number> {
  const byEdition = Map.groupBy(cut, ({ editionId }) => editionId)
  for (const editionId of [...byEdition.keys()].sort()) {
    const change = new CountChange()
    change.move('sending', 'unknown', byEdition.get(editionId)?.length ?? 0)
    await writeSharedCounts(db, editionId, change)
  }
  return cut.length
}

/**
 * Queues the unknown deliveries of an edition again, with the same Message-ID: the rule `repeat`. One that a crash cut
 * off goes at once, one that the relay cut off when its time has come; none more often than `mostAttempts`.
 */
export function repeatUnknown(db: Db, editionId: string, maxAttempts: number, now: Instant): Promise<number> {
  return transaction(db, async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('deliveries')
      .set({ status: 'queued', nextAttemptAt: null, updatedAt: now })
      .where('editionId', '=', editionId)
      .where('status', '=', 'unknown')
      .where('attempts', '<', maxAttempts)
      .where((eb) => eb.or([eb('nextAttemptAt', 'is', null), eb('nextAttemptAt', '<=', now)]))
      .executeTakeFirst()
    const change = new CountChange()
    change.move('unknown', 'queued', Number(numUpdatedRows))
    await writeSharedCounts(trx, editionId, change)
    return Number(numUpdatedRows)
  })
}

/** How many unknown deliveries the rule `repeat` has not done with. */
export async function countRepeatable(db: Db, editionId: string, maxAttempts: number): Promise<number> {
  const row = await db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('editionId', '=', editionId)
    .where('status', '=', 'unknown')
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
    .where('status', '=', 'unknown')
    .where('workerId', 'is not', null)
    .where('updatedAt', '>=', accepted?.at ?? '')
    .executeTakeFirst()
  return Number(row?.tries ?? 0)
}
