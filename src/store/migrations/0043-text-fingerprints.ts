import type { Kysely } from 'kysely'

/** A fingerprint of each article's text, and the article that another may repeat. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('articles').addColumn('text_fingerprint', 'text').execute()
  await db.schema.alterTable('ledger').addColumn('possible_duplicate_of', 'text').execute()
}
