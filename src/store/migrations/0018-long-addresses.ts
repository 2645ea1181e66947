import { type Kysely, sql } from 'kysely'

/** An address may be longer than an index of PostgreSQL can hold, and nothing is looked up by this one. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`drop index articles_url`.execute(db)
}
