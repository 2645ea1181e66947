import { type Kysely, sql } from 'kysely'

/** Who typed a kept form, and since when each schedule of a digest counts. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .alterTable('kept_forms')
    .addColumn('staff', 'text', (c) => c.notNull().defaultTo(''))
    .execute()

  await db.schema
    .createTable('schedule_changes')
    .addColumn('digest', 'text', (c) => c.notNull())
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('schedule', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('schedule_changes_key', ['digest', 'at'])
    .execute()
  await sql`insert into schedule_changes (digest, at, schedule)
    select name, first_seen_at, schedule from digests where schedule is not null`.execute(db)
  await db.schema.alterTable('digests').dropColumn('schedule').execute()
}
