import type { Kysely } from 'kysely'

/** The pictures of editions, what was made of each address, and which edition shows which. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('pictures')
    .addColumn('hash', 'text', (c) => c.primaryKey())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('bytes', 'bytea', (c) => c.notNull()) // SQLite stores bytes in a column of any type
    .addColumn('width', 'integer', (c) => c.notNull())
    .addColumn('height', 'integer', (c) => c.notNull())
    .addColumn('made_at', 'text', (c) => c.notNull())
    .execute()
  await db.schema
    .createTable('picture_sources')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('hash', 'text', (c) => c.references('pictures.hash'))
    .addColumn('reason', 'text')
    .addColumn('fetched_at', 'text', (c) => c.notNull())
    .execute()
  await db.schema.createIndex('picture_sources_hash').on('picture_sources').column('hash').execute()
  await db.schema
    .createTable('edition_pictures')
    .addColumn('edition_id', 'text', (c) => c.notNull().references('editions.id'))
    .addColumn('hash', 'text', (c) => c.notNull().references('pictures.hash'))
    .addPrimaryKeyConstraint('edition_pictures_key', ['edition_id', 'hash'])
    .execute()
  await db.schema.createIndex('edition_pictures_hash').on('edition_pictures').column('hash').execute()
}
