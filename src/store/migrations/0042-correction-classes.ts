import type { Kysely } from 'kysely'

/** What kind of change a proposed correction is. Earlier ones were never told apart: they stay in sight. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .alterTable('corrections')
    .addColumn('class', 'text', (c) => c.notNull().defaultTo('correction'))
    .execute()
}
