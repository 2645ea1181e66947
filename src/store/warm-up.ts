import type { Db } from './schema.ts'
import { transaction } from './transaction.ts'

/** How many messages have gone out on that day of a warm-up. */
export async function sentOn(db: Db, day: string): Promise<number> {
  const row = await db.selectFrom('warmUp').select('sent').where('day', '=', day).executeTakeFirst()
  return row?.sent ?? 0
}

/** Takes up to `wanted` of what may still go out on that day, `most` in all; returns how many those are. */
export function takeOf(db: Db, day: string, { most, wanted }: { most: number; wanted: number }): Promise<number> {
  return transaction(db, async (trx) => {
    await trx
      .insertInto('warmUp')
      .values({ day, sent: 0 })
      .onConflict((conflict) => conflict.column('day').doNothing())
      .execute()
    const row = await trx
      .updateTable('warmUp') // a lock on the row: another process waits here
      .set((eb) => ({ sent: eb.ref('sent') }))
      .where('day', '=', day)
      .returning('sent')
      .executeTakeFirstOrThrow()
    const taken = Math.max(0, Math.min(wanted, most - row.sent))
    if (taken > 0)
      await trx
        .updateTable('warmUp')
        .set((eb) => ({ sent: eb('sent', '+', taken) }))
        .where('day', '=', day)
        .execute()
    return taken
  })
}

/** Gives back what was taken of that day and not used. */
export async function giveBackOf(db: Db, day: string, count: number): Promise<void> {
  await db
    .updateTable('warmUp')
    .set((eb) => ({ sent: eb('sent', '-', count) }))
    .where('day', '=', day)
    .execute()
}
