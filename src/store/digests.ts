import type { Instant } from '../clock.ts'
import type { Db } from './schema.ts'

/**
 * The instant up to which every due run of the digest has been decided. A digest that is new is met here: nothing that
 * was due before now is a missed run.
 */
export async function decidedUntil(db: Db, name: string, now: Instant): Promise<Instant> {
  await db
    .insertInto('digests')
    .values({ name, firstSeenAt: now, decidedUntil: now })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
  const row = await db.selectFrom('digests').select('decidedUntil').where('name', '=', name).executeTakeFirstOrThrow()
  return row.decidedUntil
}

/** Moves the mark on; it never goes back, whatever the clock does. */
export async function decide(db: Db, name: string, dueAt: Instant): Promise<void> {
  await db
    .updateTable('digests')
    .set({ decidedUntil: dueAt })
    .where('name', '=', name)
    .where('decidedUntil', '<', dueAt)
    .execute()
}
