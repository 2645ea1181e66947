import type { Kysely } from 'kysely'

/** Which `start` processes read job files, by which schedule a digest runs, and what became of a correction later. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('digests').addColumn('schedule', 'text').execute()
  await db.schema
    .createTable('job_readers')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('folder', 'text', (c) => c.notNull())
    .addColumn('seen_at', 'text', (c) => c.notNull())
    .addColumn('rejected', 'text', (c) => c.notNull())
    .execute()

  await db.schema.alterTable('choices').addColumn('missing_at', 'text').execute()
  for (const name of ['undone_at', 'undone_why', 'withdrawn_at', 'withdrawn_by', 'withdrawn_reason']) {
    await db.schema.alterTable('corrections').addColumn(name, 'text').execute()
  }
}
