import type { Kysely } from 'kysely'

/**
 * A feed that another publisher seems to have: since when, which, and whether an editor refused it; and why an article is
 * backlog. Frozen.
 */
export async function up(db: Kysely<never>): Promise<void> {
  for (const column of ['new_publisher_at', 'new_publisher', 'not_ours_at'])
    await db.schema.alterTable('feeds').addColumn(column, 'text').execute()
  await db.schema.alterTable('ledger').addColumn('backlog_reason', 'text').execute()
}
