import { addMs, type Instant } from '../../time/clock.ts'
import type { Db, Schema } from '../schema.ts'

export type Worker = Schema['workers']

/** Tells the store that a process is at work, so that another can know when it is not any more. */
export async function addWorker(db: Db, worker: Worker): Promise<void> {
  await db.insertInto('workers').values(worker).execute()
}

/** Says that the worker is alive; one that somebody took for dead meanwhile comes back. */
export async function touchWorker(db: Db, worker: Worker, now: Instant): Promise<void> {
  await db
    .insertInto('workers')
    .values({ ...worker, seenAt: now })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ seenAt: now }))
    .execute()
}

/** A worker was last seen now at the latest, give or take `skew` milliseconds; one that lives says so again. */
export async function capSeenAt(db: Db, now: Instant, skewMs: number): Promise<void> {
  await db.updateTable('workers').set({ seenAt: now }).where('seenAt', '>', addMs(now, skewMs)).execute()
}

export async function removeWorker(db: Db, id: string): Promise<void> {
  await db.deleteFrom('workers').where('id', '=', id).execute()
}

/** How many processes are at work, by what was seen of them in the last so many milliseconds. */
export async function countWorkers(db: Db, now: Instant, silenceMs: number): Promise<number> {
  const row = await db
    .selectFrom('workers')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('seenAt', '>', addMs(now, -silenceMs))
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

export function allWorkers(db: Db): Promise<Worker[]> {
  return db.selectFrom('workers').selectAll().orderBy('startedAt').execute()
}
