import { type Kysely, sql } from 'kysely'

/** What is known of each relay: the pace of a provider over it, and the notices about it. Since when a delivery is cut. Frozen. */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('deliveries').addColumn('cut_since', 'text').execute()
  await db.schema
    .alterTable('calls')
    .addColumn('kind', 'text', (c) => c.notNull().defaultTo('paused'))
    .execute()

  await db.schema.alterTable('paces').renameTo('paces_of_all_relays').execute()
  await db.schema
    .createTable('paces')
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('relay', 'text', (c) => c.notNull())
    .addColumn('rate', sql`double precision`, (c) => c.notNull())
    .addColumn('reason', 'text', (c) => c.notNull())
    .addColumn('slowed_at', 'text', (c) => c.notNull())
    .addColumn('updated_at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('paces_by_relay_key', ['name', 'relay'])
    .execute()
  await sql`insert into paces (name, relay, rate, reason, slowed_at, updated_at)
    select name, '', rate, reason, slowed_at, updated_at from paces_of_all_relays`.execute(db)
  await db.schema.dropTable('paces_of_all_relays').execute()
}
