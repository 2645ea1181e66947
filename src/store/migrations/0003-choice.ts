import { type Kysely, sql } from 'kysely'

/** How an article is recognised under another guid, and what a digest knows of it beside pending. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  const articles = db.schema.alterTable('articles')
  for (const name of ['canonical', 'title_key', 'shown_at']) {
    await articles.addColumn(name, 'text', (c) => c.notNull().defaultTo('')).execute()
  }
  // Close enough for what is there already; whatever a feed shows again is written anew.
  await sql`update articles set canonical = url, title_key = lower(title), shown_at = seen_at`.execute(db)
  await db.schema.createIndex('articles_canonical').on('articles').column('canonical').execute()
  await db.schema.createIndex('articles_title_key').on('articles').column('title_key').execute()

  const ledger = db.schema.alterTable('ledger')
  await ledger.addColumn('same_as', 'text', (c) => c.references('articles.id')).execute()
  for (const name of ['own_at', 'held_at', 'held_reason', 'cut_at', 'cut_reason']) {
    await ledger.addColumn(name, 'text').execute()
  }
  await db.schema.createIndex('ledger_same').on('ledger').columns(['digest', 'same_as']).execute()
}
