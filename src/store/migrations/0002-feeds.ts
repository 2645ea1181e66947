import type { Kysely } from 'kysely'

/** When a feed is asked next, where it has moved, how it is, and what became of it. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  const column = (name: string, type: 'text' | 'integer' | 'real') =>
    db.schema.alterTable('feeds').addColumn(name, type).execute()

  await column('address', 'text')
  await column('gone_at', 'text')
  await column('next_fetch_at', 'text')
  await column('ttl', 'integer')
  await column('failing_since', 'text')
  await column('first_item_at', 'text')
  await column('newest_item_at', 'text')
  await column('longest_silence', 'integer')
  await column('weekly', 'real')
  await column('told_of', 'text')
  await column('telling_until', 'text')
  await db.schema.createIndex('feeds_address').on('feeds').column('address').execute()
  await db.schema.createIndex('articles_seen').on('articles').columns(['feed_id', 'seen_at']).execute()

  await db.schema
    .createTable('feed_history')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('feed_id', 'text', (c) => c.notNull().references('feeds.id'))
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('what', 'text', (c) => c.notNull())
    .execute()
  await db.schema.createIndex('feed_history_feed').on('feed_history').column('feed_id').execute()

  await db.schema.alterTable('articles').addColumn('page', 'text').execute()

  await db.schema
    .createTable('pages')
    .addColumn('url', 'text', (c) => c.primaryKey())
    .addColumn('fetched_at', 'text', (c) => c.notNull())
    .addColumn('found', 'text')
    .addColumn('error', 'text')
    .execute()

  await db.schema
    .createTable('robots')
    .addColumn('origin', 'text', (c) => c.primaryKey())
    .addColumn('fetched_at', 'text', (c) => c.notNull())
    .addColumn('rules', 'text', (c) => c.notNull())
    .execute()
}
