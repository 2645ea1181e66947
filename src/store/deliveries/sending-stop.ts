import type { Instant } from '../../time/clock.ts'
import { newId } from '../id.ts'
import type { Db, SendingStopRow } from '../schema.ts'

/** The stop in force, if any. */
export function currentSendingStop(db: Db): Promise<SendingStopRow | undefined> {
  return db.selectFrom('brakes').selectAll().where('inForce', '=', 'yes').executeTakeFirst()
}

/** The newest stop, in force or ended. */
export function lastSendingStop(db: Db): Promise<SendingStopRow | undefined> {
  return db.selectFrom('brakes').selectAll().orderBy('id', 'desc').limit(1).executeTakeFirst()
}

/** Stops all sending; false if it is stopped already. */
export async function addSendingStop(db: Db, { who, reason }: { who: string; reason: string }, now: Instant) {
  const added = await db
    .insertInto('brakes')
    .values({ id: newId(now), inForce: 'yes', at: now, who, reason, releasedAt: null, releasedBy: null })
    .onConflict((conflict) => conflict.column('inForce').doNothing())
    .returning('id')
    .executeTakeFirst()
  return added !== undefined
}

/** Ends the stop and returns it; undefined if sending is not stopped, or by a stop with another id. */
export function endSendingStop(db: Db, who: string, now: Instant, id?: string): Promise<SendingStopRow | undefined> {
  return db
    .updateTable('brakes')
    .$if(id !== undefined, (query) => query.where('id', '=', id ?? ''))
    .set({ inForce: null, releasedAt: now, releasedBy: who })
    .where('inForce', '=', 'yes')
    .returningAll()
    .executeTakeFirst()
}
