import type { Kysely } from 'kysely'

/** By which clocks an edition was made to go out; clocks that were wrong; the messages a second that processes share. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('editions').addColumn('timing', 'text').execute()

  await db.schema
    .createTable('clock_faults')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('digest', 'text', (c) => c.notNull())
    .addColumn('ahead_until', 'text', (c) => c.notNull())
    .addColumn('noticed_at', 'text', (c) => c.notNull())
    .addColumn('reopened', 'text', (c) => c.notNull())
    .addColumn('telling_until', 'text')
    .addColumn('told_at', 'text')
    .addUniqueConstraint('clock_faults_key', ['digest', 'ahead_until'])
    .execute()

  await db.schema
    .createTable('rates')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('free_at', 'text', (c) => c.notNull())
    .execute()
}
