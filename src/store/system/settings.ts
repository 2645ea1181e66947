import { randomBytes } from 'node:crypto'
import { addMs, type Instant, minute } from '../../time/clock.ts'
import type { Db } from '../schema.ts'

/** The secret that signs links: made once and kept, so that links in old emails work for ever. */
export async function loadSecret(db: Db): Promise<string> {
  await db
    .insertInto('settings')
    .values({ name: 'secret', value: randomBytes(32).toString('base64url') })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
  const { value } = await db
    .selectFrom('settings')
    .select('value')
    .where('name', '=', 'secret')
    .executeTakeFirstOrThrow()
  return value
}

/** What is kept under a name; undefined if nothing is. */
export async function loadSetting(db: Db, name: string): Promise<string | undefined> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst()
  return row?.value
}

/** Keeps a value under a name, in place of what was there. */
export async function saveSetting(db: Db, name: string, value: string): Promise<void> {
  await db
    .insertInto('settings')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute()
}

export type Lease = { name: string; owner: string }

/** Clocks of machines differ, but not by more than that. */
const maxClockSkewMs = minute

/**
 * Takes a lease that nobody else holds at `now`, until `until`. Returns whether it is ours now. One that ends much later than
 * a new one would was taken by a clock that was wrong, and counts as free.
 */
export async function acquireLease(db: Db, { name, owner, now, until }: Lease & { now: Instant; until: Instant }) {
  const value = `${until} ${owner}`
  const latest = addMs(until, maxClockSkewMs)
  const taken = await db
    .insertInto('settings')
    .values({ name, value })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet({ value })
        .where((eb) =>
          eb.or([
            eb('settings.value', '<', now),
            eb('settings.value', '>', latest),
            eb('settings.value', 'like', `% ${owner}`),
          ]),
        ),
    )
    .returning('name')
    .executeTakeFirst()
  return taken !== undefined
}

/** Gives a lease back; one that somebody else holds by now is left alone. */
export async function releaseLease(db: Db, { name, owner }: Lease): Promise<void> {
  await db.deleteFrom('settings').where('name', '=', name).where('value', 'like', `% ${owner}`).execute()
}
