import { randomBytes } from 'node:crypto'
import { addMs, type Instant, minute } from '../../time/clock.ts'
import type { Db } from '../schema.ts'

/** The secret that signs links: created once and kept, so that links in old emails always work. */
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

/** The value with this name; undefined if there is none. */
export async function loadSetting(db: Db, name: string): Promise<string | undefined> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst()
  return row?.value
}

/** Saves a value under a name, replacing the old one. */
export async function saveSetting(db: Db, name: string, value: string): Promise<void> {
  await db
    .insertInto('settings')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute()
}

export type Lease = { name: string; owner: string }

/** The largest expected difference between the clocks of two machines. */
const maxClockSkewMs = minute

/**
 * Acquires a lease until `until`, unless another owner holds it at `now`; returns whether it did. A lease that ends
 * more than a minute after `until` is from a wrong clock and counts as free.
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

/** Releases our lease; another owner's lease stays. */
export async function releaseLease(db: Db, { name, owner }: Lease): Promise<void> {
  await db.deleteFrom('settings').where('name', '=', name).where('value', 'like', `% ${owner}`).execute()
}
