import { type Kysely, sql } from 'kysely'

/** What editors change in an edition, how often it was sealed, and the feed's headline where an editor reworded it. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('edits')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('edition_id', 'text', (c) => c.notNull().references('editions.id'))
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('target', 'text', (c) => c.notNull())
    .addColumn('data', 'text', (c) => c.notNull())
    .addColumn('who', 'text', (c) => c.notNull())
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('undone_at', 'text')
    .addColumn('undone_by', 'text')
    .addUniqueConstraint('edits_number', ['edition_id', 'number'])
    .execute()
  await db.schema.createIndex('edits_target').on('edits').column('target').execute()
  await db.schema.createIndex('edits_kind').on('edits').columns(['kind', 'edition_id']).execute()

  await db.schema
    .alterTable('editions')
    .addColumn('revision', 'integer', (c) => c.notNull().defaultTo(0))
    .execute()
  await sql`update editions set revision =
    (select count(*) from variants where variants.edition_id = editions.id)`.execute(db)
  await db.schema.alterTable('choices').addColumn('feed_title', 'text').execute()
}
