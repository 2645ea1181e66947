import { addMs, type Instant } from '../../time/clock.ts'
import { transaction } from '../drivers/transaction.ts'
import type { Db } from '../schema.ts'

/**
 * Reserves the next `spanMs` milliseconds of a relay's rate for one process, after all other reservations. Returns
 * their start, now at the earliest; a reservation further ahead than `horizonMs` is from a wrong clock and does not
 * count.
 */
export function reserveSpan(
  db: Db,
  name: string,
  { now, spanMs, horizonMs }: { now: Instant; spanMs: number; horizonMs: number },
): Promise<Instant> {
  return transaction(db, async (trx) => {
    await trx
      .insertInto('rates')
      .values({ name, freeAt: now })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute()
    const { freeAt } = await trx
      .updateTable('rates') // a lock on the row: another process waits here
      .set((eb) => ({ freeAt: eb.ref('freeAt') }))
      .where('name', '=', name)
      .returning('freeAt')
      .executeTakeFirstOrThrow()
    const from = freeAt > now && freeAt <= addMs(now, horizonMs) ? freeAt : now
    await trx
      .updateTable('rates')
      .set({ freeAt: addMs(from, spanMs) })
      .where('name', '=', name)
      .execute()
    return from
  })
}
