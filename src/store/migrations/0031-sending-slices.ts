import { type Kysely, PostgresAdapter, sql } from 'kysely'

const statuses = ['queued', 'sending', 'accepted', 'deferred', 'refused', 'unknown', 'skipped']
const sliceSize = 500

/**
 * Deliveries are sent by slices: ranges of subscribers that a worker leases, with the deliveries that it hands over at this
 * moment and what it has changed in the counters. The hours of zones move to `zone_sends`. No index of `deliveries` holds
 * the status any more. What was cut off in the state `sending` is unknown. Tasks are what a worker is to do next. Frozen.
 */
export async function up(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('slices').renameTo('zone_sends').execute()
  await createSlices(db)
  await db.schema.alterTable('deliveries').addColumn('exception', 'text').execute()
  await settleCutOff(db)
  await sql`update deliveries set exception = status where status in ('deferred', 'refused', 'unknown')`.execute(db)
  await foldCounts(db)
  await replaceIndexes(db)
  await sliceOpenEditions(db)
  await createTasks(db)
  if (!(db.getExecutor().adapter instanceof PostgresAdapter)) return
  await sql`alter table deliveries set (fillfactor = 65)`.execute(db) // room for the answer beside the row
  await sql`alter table slices set (fillfactor = 30)`.execute(db)
}

async function createSlices(db: Kysely<never>): Promise<void> {
  let table = db.schema
    .createTable('slices')
    .addColumn('edition_id', 'text', (c) => c.notNull().references('editions.id'))
    .addColumn('first_id', 'text', (c) => c.notNull())
    .addColumn('last_id', 'text', (c) => c.notNull())
    .addColumn('due_at', 'text')
    .addColumn('left_open', 'integer', (c) => c.notNull())
    .addColumn('worker_id', 'text')
    .addColumn('lease_id', 'text')
    .addColumn('version', 'integer', (c) => c.notNull().defaultTo(0))
    .addColumn('in_flight', 'text', (c) => c.notNull().defaultTo('[]'))
  for (const status of statuses) table = table.addColumn(status, 'integer', (c) => c.notNull().defaultTo(0))
  await table.addPrimaryKeyConstraint('slices_range_key', ['edition_id', 'first_id']).execute()
  await sql`create index slices_leased on slices (edition_id, first_id) where worker_id is not null`.execute(db)
}

/** Whoever had these is gone: a program of this version sends nothing before this. */
async function settleCutOff(db: Kysely<never>): Promise<void> {
  const reply = 'the sender stopped before the relay had answered'
  const cut = sql`(select count(*) from deliveries
    where deliveries.edition_id = delivery_counts.edition_id and deliveries.status = 'sending')`
  await sql`insert into delivery_counts (edition_id, writer, queued, sending, accepted, deferred, refused, unknown, skipped)
    select id, 'shared', 0, 0, 0, 0, 0, 0, 0 from editions
    where id in (select edition_id from deliveries where status = 'sending')
    and id not in (select edition_id from delivery_counts where writer = 'shared')`.execute(db)
  await sql`update delivery_counts set sending = sending - ${cut}, unknown = unknown + ${cut} where writer = 'shared'
    and edition_id in (select edition_id from deliveries where status = 'sending')`.execute(db)
  await sql`update deliveries set status = 'unknown', worker_id = null, reply = ${reply} where status = 'sending'`.execute(
    db,
  )
}

/** One row of counters for each edition; what a sender changes meanwhile stands with its slices. */
async function foldCounts(db: Kysely<never>): Promise<void> {
  const columns = sql.join(statuses.map((status) => sql.ref(status)))
  const sums = sql.join(statuses.map((status) => sql`sum(${sql.ref(status)})`))
  await sql`insert into delivery_counts (edition_id, writer, ${columns})
    select edition_id, 'folded', ${sums} from delivery_counts group by edition_id`.execute(db)
  await sql`delete from delivery_counts where writer <> 'folded'`.execute(db)
  await sql`update delivery_counts set writer = 'shared'`.execute(db)
}

async function replaceIndexes(db: Kysely<never>): Promise<void> {
  for (const name of ['status', 'next_attempt', 'canary']) await db.schema.dropIndex(`deliveries_${name}`).execute()
  await sql`create index deliveries_exception on deliveries (edition_id, exception, subscriber_id)
    where exception is not null`.execute(db)
  await sql`create index deliveries_next_attempt on deliveries (edition_id, next_attempt_at)
    where next_attempt_at is not null`.execute(db)
  await sql`create index deliveries_canary on deliveries (edition_id, canary) where canary is not null`.execute(db)
}

/** Each is looked at once: that finds out what is left of it, and when it is due. */
async function sliceOpenEditions(db: Kysely<never>): Promise<void> {
  await sql`insert into slices (edition_id, first_id, last_id, due_at, left_open)
    select edition_id, min(subscriber_id), max(subscriber_id), '', count(*) from (
      select edition_id, subscriber_id,
        (row_number() over (partition by edition_id order by subscriber_id) - 1) / ${sql.lit(sliceSize)} as part
      from deliveries where edition_id in (select id from editions where finished_at is null)) as numbered
    group by edition_id, part`.execute(db)
}

async function createTasks(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('tasks')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('key', 'text', (c) => c.notNull())
    .addColumn('group_key', 'text', (c) => c.notNull())
    .addColumn('data', 'text', (c) => c.notNull())
    .addColumn('not_before', 'text', (c) => c.notNull())
    .addColumn('requests', 'integer', (c) => c.notNull())
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('worker_id', 'text')
    .addColumn('error', 'text')
    .addColumn('dead_at', 'text')
    .addUniqueConstraint('tasks_key', ['kind', 'key'])
    .execute()
}
