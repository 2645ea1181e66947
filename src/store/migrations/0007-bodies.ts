import type { Kysely } from 'kysely'

/** The whole text of an article, cleaned, and since when a feed is read for it. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('articles').addColumn('body', 'text').execute()
  await db.schema.alterTable('feeds').addColumn('bodies_at', 'text').execute()
}
