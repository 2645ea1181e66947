import { addMs, type Instant } from '../../time/clock.ts'
import type { Db, Schema } from '../schema.ts'

export type Worker = Schema['workers']

/** Registers a process as a worker, so that others can detect when it has died. */
export async function addWorker(db: Db, worker: Worker): Promise<void> {
  await db.insertInto('workers').values(worker).execute()
}

/** Records that the worker is alive; a worker that was removed as dead is added again. */
export async function touchWorker(db: Db, worker: Worker, now: Instant): Promise<void> {
  await db
    .insertInto('workers')
    .values({ ...worker, seenAt: now })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ seenAt: now }))
    .execute()
}

/** Corrects workers that were last seen after now (plus `skew` milliseconds) to now; a live worker updates it again. */
export async function capSeenAt(db: Db, now: Instant, skewMs: number): Promise<void> {
  await db.updateTable('workers').set({ seenAt: now }).where('seenAt', '>', addMs(now, skewMs)).execute()
}

export async function removeWorker(db: Db, id: string): Promise<void> {
  await db.deleteFrom('workers').where('id', '=', id).execute()
}

export function allWorkers(db: Db): Promise<Worker[]> {
  return db.selectFrom('workers').selectAll().orderBy('startedAt').execute()
}
