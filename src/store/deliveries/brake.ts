import type { Instant } from '../../time/clock.ts'
import { newId } from '../id.ts'
import type { BrakeRow, Db } from '../schema.ts'

/** The active brake, if there is one. */
export function brakeNow(db: Db): Promise<BrakeRow | undefined> {
  return db.selectFrom('brakes').selectAll().where('inForce', '=', 'yes').executeTakeFirst()
}

/** The newest brake, active or released. */
export function lastBrake(db: Db): Promise<BrakeRow | undefined> {
  return db.selectFrom('brakes').selectAll().orderBy('id', 'desc').limit(1).executeTakeFirst()
}

/** Stops all sending; false if a brake is already active. */
export async function putBrakeOn(db: Db, { who, reason }: { who: string; reason: string }, now: Instant) {
  const added = await db
    .insertInto('brakes')
    .values({ id: newId(now), inForce: 'yes', at: now, who, reason, releasedAt: null, releasedBy: null })
    .onConflict((conflict) => conflict.column('inForce').doNothing())
    .returning('id')
    .executeTakeFirst()
  return added !== undefined
}

/** Releases the brake and returns it; undefined if none is active, or the active one has another id. */
export function takeBrakeOff(db: Db, who: string, now: Instant, id?: string): Promise<BrakeRow | undefined> {
  return db
    .updateTable('brakes')
    .$if(id !== undefined, (query) => query.where('id', '=', id ?? ''))
    .set({ inForce: null, releasedAt: now, releasedBy: who })
    .where('inForce', '=', 'yes')
    .returningAll()
    .executeTakeFirst()
}
