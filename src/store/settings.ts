import { randomBytes } from 'node:crypto'
import type { Db } from './schema.ts'

/** The secret that signs links: made once and kept, so that links in old emails work for ever. */
export async function keptSecret(db: Db): Promise<string> {
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
