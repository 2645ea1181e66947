import { transaction } from '../drivers/transaction.ts'
import type { Db } from '../schema.ts'

/** The count of one quota on one day. */
export type QuotaDay = { name: string; day: string }

/** How many messages of the day's quota are used. */
export async function countSentOn(db: Db, { name, day }: QuotaDay): Promise<number> {
  const row = await db
    .selectFrom('allowances')
    .select('sent')
    .where('name', '=', name)
    .where('day', '=', day)
    .executeTakeFirst()
  return row?.sent ?? 0
}

/** Reserves up to `wanted` messages of the day's quota, which is `limit`; returns how many. */
export function reserveQuota(
  db: Db,
  { name, day }: QuotaDay,
  { limit, wanted }: { limit: number; wanted: number },
): Promise<number> {
  return transaction(db, async (trx) => {
    await trx
      .insertInto('allowances')
      .values({ name, day, sent: 0 })
      .onConflict((conflict) => conflict.columns(['name', 'day']).doNothing())
      .execute()
    const row = await trx
      .updateTable('allowances') // a lock on the row: another process waits here
      .set((eb) => ({ sent: eb.ref('sent') }))
      .where('name', '=', name)
      .where('day', '=', day)
      .returning('sent')
      .executeTakeFirstOrThrow()
    const taken = Math.max(0, Math.min(wanted, limit - row.sent))
    if (taken > 0)
      await trx
        .updateTable('allowances')
        .set((eb) => ({ sent: eb('sent', '+', taken) }))
        .where('name', '=', name)
        .where('day', '=', day)
        .execute()
    return taken
  })
}

/** Releases reserved messages of that day that were not sent. */
export async function releaseQuota(db: Db, { name, day }: QuotaDay, count: number): Promise<void> {
  await db
    .updateTable('allowances')
    .set((eb) => ({ sent: eb('sent', '-', count) }))
    .where('name', '=', name)
    .where('day', '=', day)
    .execute()
}
