import { type Kysely, sql } from 'kysely'

/** What is left of articles that were deleted, and indexes for deleting them. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('forgotten_articles')
    .addColumn('feed_id', 'text', (c) => c.notNull().references('feeds.id'))
    .addColumn('identity', 'text', (c) => c.notNull())
    .addColumn('shared', 'text')
    .addColumn('canonical', 'text', (c) => c.notNull())
    .addColumn('asked', 'text')
    .addColumn('title_key', 'text', (c) => c.notNull())
    .addColumn('dated_at', 'text', (c) => c.notNull())
    .addColumn('seen_at', 'text', (c) => c.notNull())
    .addColumn('forgotten_at', 'text', (c) => c.notNull())
    .addColumn('shown_at', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('forgotten_articles_pk', ['identity', 'feed_id'])
    .execute()
  const index = (name: string) => db.schema.createIndex(`forgotten_articles_${name}`).on('forgotten_articles')
  await index('shared').columns(['shared', 'feed_id']).where(sql<boolean>`shared is not null`).execute()
  await index('canonical').columns(['canonical', 'feed_id']).execute()
  await index('asked').columns(['asked', 'feed_id']).where(sql<boolean>`asked is not null`).execute()
  await index('title').columns(['title_key', 'feed_id']).execute()
  await index('shown').columns(['feed_id', 'shown_at']).execute()

  // Without these every deleted article costs a look at the whole ledger, for the foreign keys.
  await sql`create index ledger_same_as on ledger (same_as) where same_as is not null`.execute(db)
  await sql`create index ledger_unlike on ledger (unlike) where unlike is not null`.execute(db)
  await db.schema.dropIndex('ledger_feed').execute()
  await db.schema.createIndex('ledger_feed').on('ledger').columns(['digest', 'feed_id', 'article_id']).execute()
  await db.schema.dropIndex('articles_seen').execute()
  await db.schema.createIndex('articles_seen').on('articles').columns(['feed_id', 'seen_at', 'id']).execute()
}
