import type { Instant } from '../clock.ts'
import type { Db } from './schema.ts'

const cutOff = { status: 'unknown', workerId: null, reply: 'the sender stopped before the relay had answered' } as const

/** Leaves nothing out; but with each edition named an index finds the few that are being sent, and years of others are not read. */
const everyEdition = (db: Db) => db.selectFrom('editions').select('editions.id')

/** What a dead worker had in its hands may be out: unknown, until the digest's rule says what to do. */
export async function markAbandoned(db: Db, workerId: string, now: Instant): Promise<number> {
  const result = await db
    .updateTable('deliveries')
    .set({ ...cutOff, updatedAt: now })
    .where('editionId', 'in', everyEdition(db))
    .where('status', '=', 'sending')
    .where('workerId', '=', workerId)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** The same for what a worker that lives still has of an edition that it sends no more, whose answers it could not record. */
export async function abandonOwn(
  db: Db,
  { editionId, workerId }: { editionId: string; workerId: string },
  now: Instant,
): Promise<number> {
  const result = await db
    .updateTable('deliveries')
    .set({ ...cutOff, reply: 'the answer of the relay could not be recorded', updatedAt: now })
    .where('editionId', '=', editionId)
    .where('status', '=', 'sending')
    .where('workerId', '=', workerId)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** The same for what no worker is known to have any more. */
export async function markOrphaned(db: Db, now: Instant): Promise<number> {
  const result = await db
    .updateTable('deliveries')
    .set({ ...cutOff, updatedAt: now })
    .where('editionId', 'in', everyEdition(db))
    .where('status', '=', 'sending')
    .where('workerId', 'not in', (eb) => eb.selectFrom('workers').select('id'))
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/**
 * Queues the unknown deliveries of an edition again, with the same Message-ID: the rule `repeat`. One that a crash cut
 * off goes at once, one that the relay cut off when its time has come; none more often than `mostAttempts`.
 */
export async function repeatUnknown(db: Db, editionId: string, mostAttempts: number, now: Instant): Promise<number> {
  const result = await db
    .updateTable('deliveries')
    .set({ status: 'queued', nextAttemptAt: null, updatedAt: now })
    .where('editionId', '=', editionId)
    .where('status', '=', 'unknown')
    .where('attempts', '<', mostAttempts)
    .where((eb) => eb.or([eb('nextAttemptAt', 'is', null), eb('nextAttemptAt', '<=', now)]))
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** How many unknown deliveries the rule `repeat` has not done with. */
export async function countRepeatable(db: Db, editionId: string, mostAttempts: number): Promise<number> {
  const row = await db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('editionId', '=', editionId)
    .where('status', '=', 'unknown')
    .where('attempts', '<', mostAttempts)
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
