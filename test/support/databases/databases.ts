import pg from 'pg'
import { inject } from 'vitest'
import { openStore } from '../../../src/store/open.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { openPostgres, type PostgresServer } from './postgres.ts'

/** A database in the PostgreSQL of this run of tests. */
export type Database = { url: string; remove(): Promise<void> }

const template = 'template_of_tests'

/**
 * To be called once for the server, before any test: makes what all databases of tests are copies of. Returns the
 * fingerprint of their tables.
 */
export async function prepareServer(port: number): Promise<string> {
  await withClient(urlOf(port, 'postgres'), async (query) => {
    await query(`create database ${template}`)
    await query('create table free_databases (name text primary key)')
  })
  const store = await openStore(urlOf(port, template), systemClock)
  await store.close()
  return await withClient(urlOf(port, template), schemaFingerprint)
}

let made = 0
const newName = () => `test_${process.pid}_${++made}`

/** A database that no program has ever opened. */
export async function blankDatabase(): Promise<Database> {
  const name = newName()
  await asAdmin(`create database ${name}`)
  return { url: serverUrl(name), remove: () => drop(name) }
}

/**
 * A database with every table and no row. Making one takes longer than most tests, so one that is removed is emptied and
 * given to the next test that asks, of any file; one whose tables have changed is dropped.
 */
export async function migratedDatabase(): Promise<Database> {
  const [free] = await asAdmin(
    'delete from free_databases where name = (select name from free_databases limit 1 for update skip locked) returning name',
  )
  const name = free?.name ?? newName()
  if (!free) await asAdmin(`create database ${name} template ${template}`)
  return { url: serverUrl(name), remove: () => returnDatabase(name) }
}

/** The server of one test, which may stop it. */
export const ownServer = (): Promise<PostgresServer> => openPostgres({ copyOf: inject('postgresFolder') })

async function returnDatabase(name: string): Promise<void> {
  await asAdmin(`select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '${name}'`)
  const isEmpty = await withClient(serverUrl(name), async (query) => {
    if ((await schemaFingerprint(query)) !== inject('postgresSchema')) return false
    await query(emptySql)
    return true
  })
  if (isEmpty) await asAdmin(`insert into free_databases values ('${name}')`)
  else await drop(name)
}

async function drop(name: string): Promise<void> {
  await asAdmin(`drop database ${name} with (force)`)
}

/** A delete takes a tenth of the time of a truncate, which makes new files for the table and each index. */
const emptySql = `
do $$
declare
  name text;
  has_rows boolean;
begin
  set local session_replication_role = replica; -- no trigger runs, and no foreign key is checked
  for name in select quote_ident(tablename) from pg_tables where schemaname = 'public' and tablename <> 'migrations' loop
    execute format('select exists (select 1 from %s)', name) into has_rows;
    if not has_rows then continue; end if;
    if pg_table_size(name::regclass) > 1000000 then execute format('truncate %s cascade', name);
    else execute format('delete from %s', name);
    end if;
  end loop;
end $$`

/**
 * Changes with any table, column, key, index, trigger or function, and with the migrations that are on record: a row of
 * a catalog has the number of the transaction that wrote it (xmin), and a copy of a database has the same.
 */
async function schemaFingerprint(query: Query): Promise<string> {
  const catalogs = ['pg_attribute', 'pg_attrdef', 'pg_constraint', 'pg_index', 'pg_trigger', 'pg_proc']
  const sums = catalogs.map((catalog) => `(select concat(count(*), ' ', sum(xmin::text::bigint)) from ${catalog})`)
  const names = "(select string_agg(name, ',' order by name) from migrations)"
  const [row] = await query(`select concat_ws(' ', ${[...sums, names].join(', ')}) as shape`)
  return row?.shape ?? ''
}

type Query = (statement: string) => Promise<Record<string, string>[]>

async function withClient<T>(url: string, work: (query: Query) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(async (statement) => (await client.query(statement)).rows)
  } finally {
    await client.end()
  }
}

let admin: pg.Pool | undefined

/** Over one connection that stays open, and does not keep this process alive. */
async function asAdmin(statement: string): Promise<Record<string, string>[]> {
  admin ??= new pg.Pool({
    connectionString: serverUrl('postgres'),
    max: 1,
    idleTimeoutMillis: 0,
    allowExitOnIdle: true,
  })
  return (await admin.query(statement)).rows
}

const urlOf = (port: number, database: string) => `postgres://lastword:lastword@127.0.0.1:${port}/${database}`
const serverUrl = (database: string) => urlOf(inject('postgresPort'), database)
