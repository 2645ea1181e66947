import type { Kysely } from 'kysely'

/** The brake, pulled articles, letters that call the editors, and seals that were withdrawn. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  const table = (name: string) => db.schema.createTable(name)

  await table('brakes')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('in_force', 'text', (c) => c.unique())
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('who', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('released_at', 'text')
    .addColumn('released_by', 'text')
    .execute()

  await table('pulls')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('mark', 'text', (c) => c.notNull())
    .addColumn('in_force', 'text', (c) => c.unique())
    .addColumn('url', 'text', (c) => c.notNull())
    .addColumn('title', 'text', (c) => c.notNull())
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('who', 'text', (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('restored_at', 'text')
    .addColumn('restored_by', 'text')
    .execute()

  await table('calls')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('edition_id', 'text', (c) => c.notNull().references('editions.id'))
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('what', 'text', (c) => c.notNull())
    .addColumn('telling_until', 'text')
    .addColumn('told_at', 'text')
    .execute()
  await db.schema.createIndex('calls_edition').on('calls').column('edition_id').execute()

  await db.schema.alterTable('variants').addColumn('withdrawn_at', 'text').execute()
}
