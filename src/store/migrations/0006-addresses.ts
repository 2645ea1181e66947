import type { Kysely } from 'kysely'

/** Where an article's address leads. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  const articles = db.schema.alterTable('articles')
  for (const name of ['ask_at', 'asked', 'leads_to']) await articles.addColumn(name, 'text').execute()
  await db.schema.createIndex('articles_ask').on('articles').column('ask_at').execute()
  await db.schema.createIndex('articles_leads_to').on('articles').column('leads_to').execute()
}
