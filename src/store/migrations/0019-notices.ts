import { type Kysely, sql } from 'kysely'

/** Who is telling the editors of a skipped run, and an index that finds the newest history of one feed. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('skip_notices')
    .addColumn('edition_id', 'text', (c) => c.primaryKey().references('editions.id'))
    .addColumn('telling_until', 'text', (c) => c.notNull())
    .addColumn('told_at', 'text')
    .execute()
  await sql`insert into skip_notices (edition_id, telling_until, told_at)
    select edition_id, max(at), max(at) from history where what = 'told of the skip by mail' group by edition_id`.execute(
    db,
  )

  await db.schema.dropIndex('feed_history_feed').execute()
  await db.schema.createIndex('feed_history_feed').on('feed_history').columns(['feed_id', 'id']).execute()
}
