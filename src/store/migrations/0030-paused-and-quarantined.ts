import { type Kysely, sql } from 'kysely'

/** An edition that stopped while it was being sent is `paused`; an article that waits is quarantined. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await sql`update editions set status = 'paused'
    where status = 'held' and (approved_at is not null or audience_at is not null)`.execute(db)
  await sql`update history set what = 'retracted: ' || substr(what, 9) where what like 'pulled: %'`.execute(db)
  await db.schema.alterTable('ledger').renameColumn('held_at', 'quarantined_at').execute()
  await db.schema.alterTable('ledger').renameColumn('held_reason', 'quarantine_reason').execute()
}
