import type { Kysely } from 'kysely'

/** What an edition said of each article, what its page said then, and what turned out to be wrong. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .alterTable('articles')
    .addColumn('note', 'text', (c) => c.notNull().defaultTo(''))
    .execute()
  // Null for what was sealed before: what those editions said of each article nobody wrote down.
  for (const name of ['said_title', 'said_url', 'said_note', 'page_title', 'page_note', 'looked_at']) {
    await db.schema.alterTable('choices').addColumn(name, 'text').execute()
  }

  await db.schema
    .createTable('corrections')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('digest', 'text', (c) => c.notNull())
    .addColumn('edition_id', 'text', (c) => c.notNull().references('editions.id'))
    .addColumn('article_id', 'text', (c) => c.notNull().references('articles.id'))
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('change_key', 'text', (c) => c.notNull())
    .addColumn('found', 'text', (c) => c.notNull())
    .addColumn('evidence', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('proposed_at', 'text', (c) => c.notNull())
    .addColumn('lapsed_at', 'text')
    .addColumn('words', 'text')
    .addColumn('decided_at', 'text')
    .addColumn('decided_by', 'text')
    .addColumn('printed_in', 'text', (c) => c.references('editions.id'))
    .addUniqueConstraint('corrections_change', ['edition_id', 'article_id', 'change_key'])
    .execute()
  await db.schema.createIndex('corrections_status').on('corrections').columns(['digest', 'status']).execute()
  await db.schema.createIndex('corrections_article').on('corrections').column('article_id').execute()
  await db.schema.createIndex('corrections_printed').on('corrections').column('printed_in').execute()
}
