import type { Kysely } from 'kysely'

/** What waits for its owner to confirm it by the link in an email. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('confirmations')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('digest', 'text', (c) => c.notNull())
    .addColumn('subscriber_id', 'text', (c) => c.notNull().references('subscribers.id'))
    .addColumn('edition_id', 'text')
    .addColumn('how', 'text', (c) => c.notNull())
    .addColumn('asked_at', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'text', (c) => c.notNull())
    .addColumn('waiting_since', 'text')
    .addColumn('sending_until', 'text')
    .addColumn('sent_at', 'text')
    .addColumn('used_at', 'text')
    .addUniqueConstraint('confirmations_person', ['digest', 'subscriber_id'])
    .execute()
  await db.schema.createIndex('confirmations_subscriber').on('confirmations').column('subscriber_id').execute()
  await db.schema.createIndex('confirmations_waiting').on('confirmations').column('waiting_since').execute()
}
