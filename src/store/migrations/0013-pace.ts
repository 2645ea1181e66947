import { type Kysely, sql } from 'kysely'

/** How fast each mail provider is written to, and what of an edition waits for its hour or for a canary. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('subscribers').addColumn('zone', 'text').execute()
  await db.schema.alterTable('deliveries').addColumn('canary', 'text').execute()
  await db.schema.alterTable('deliveries').addColumn('first_of', 'text').execute()
  await db.schema.alterTable('deliveries').addColumn('relay', 'text').execute()

  await db.schema
    .createTable('paces')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('rate', sql`double precision`, (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('slowed_at', 'text', (c) => c.notNull())
    .addColumn('updated_at', 'text', (c) => c.notNull())
    .execute()

  await db.schema
    .createTable('providers')
    .addColumn('domain', 'text', (c) => c.primaryKey())
    .addColumn('provider', 'text', (c) => c.notNull())
    .addColumn('found_at', 'text', (c) => c.notNull())
    .execute()

  await db.schema
    .createTable('allowances')
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('day', 'text', (c) => c.notNull())
    .addColumn('sent', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('allowances_key', ['name', 'day'])
    .execute()

  await db.schema
    .createTable('canaries')
    .addColumn('edition_id', 'text', (c) => c.notNull().references('editions.id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('recipients', 'integer', (c) => c.notNull())
    .addColumn('first_place', 'text', (c) => c.notNull())
    .addColumn('last_place', 'text', (c) => c.notNull())
    .addColumn('waiting_since', 'text')
    .addColumn('released_at', 'text')
    .addColumn('stopped_at', 'text')
    .addPrimaryKeyConstraint('canaries_key', ['edition_id', 'name'])
    .execute()

  await db.schema
    .createTable('slices')
    .addColumn('edition_id', 'text', (c) => c.notNull().references('editions.id'))
    .addColumn('zone', 'text', (c) => c.notNull())
    .addColumn('at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('slices_key', ['edition_id', 'zone'])
    .execute()
}
