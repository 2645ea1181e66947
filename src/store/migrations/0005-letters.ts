import type { Kysely } from 'kysely'

/**
 * Readers' letters are articles of their own kind. They come from no feed: every digest has a letterbox instead, a source
 * that is never asked, so that an article still has exactly one source (SQLite cannot drop the NOT NULL of `feed_id`
 * without copying articles and ledger whole). Frozen.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .alterTable('articles')
    .addColumn('kind', 'text', (c) => c.notNull().defaultTo('article'))
    .execute()
  await db.schema
    .alterTable('feeds')
    .addColumn('kind', 'text', (c) => c.notNull().defaultTo('feed'))
    .execute()

  await db.schema
    .createTable('letters')
    .addColumn('article_id', 'text', (c) => c.primaryKey().references('articles.id'))
    .addColumn('text', 'text', (c) => c.notNull())
    .addColumn('place', 'text', (c) => c.notNull())
    .addColumn('entered_by', 'text', (c) => c.notNull())
    .addColumn('edited_at', 'text')
    .addColumn('edited_by', 'text')
    .addColumn('withdrawn_at', 'text')
    .addColumn('withdrawn_by', 'text')
    .execute()
}
