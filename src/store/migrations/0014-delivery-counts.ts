import { type Kysely, sql } from 'kysely'

const statuses = ['queued', 'sending', 'accepted', 'deferred', 'refused', 'unknown', 'skipped']

/**
 * Counters of deliveries by edition, writer and status, filled from the deliveries there are; and partial indexes for
 * what is asked in each pass, which cost nothing where a delivery neither waits for a time nor for a canary. Frozen.
 */
export async function up(db: Kysely<never>): Promise<void> {
  let table = db.schema
    .createTable('delivery_counts')
    .addColumn('edition_id', 'text', (c) => c.notNull().references('editions.id'))
    .addColumn('writer', 'text', (c) => c.notNull())
  for (const status of statuses) table = table.addColumn(status, 'integer', (c) => c.notNull())
  await table.addPrimaryKeyConstraint('delivery_counts_key', ['edition_id', 'writer']).execute()

  const columns = sql.join(statuses.map((status) => sql.ref(status)))
  const sums = sql.join(statuses.map((status) => sql`sum(case when status = ${sql.lit(status)} then 1 else 0 end)`))
  await sql`insert into delivery_counts (edition_id, writer, ${columns})
    select edition_id, 'shared', ${sums} from deliveries group by edition_id`.execute(db)

  await sql`create index deliveries_next_attempt on deliveries (edition_id, next_attempt_at, status)
    where next_attempt_at is not null`.execute(db)
  await sql`create index deliveries_first_of on deliveries (edition_id, first_of, subscriber_id)
    where first_of is not null`.execute(db)
  await sql`create index deliveries_canary on deliveries (edition_id, canary, status)
    where canary is not null`.execute(db)
}
