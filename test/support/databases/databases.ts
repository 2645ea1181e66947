import pg from 'pg'
import { inject } from 'vitest'
import { openStore } from '../../../src/store/open.ts'
import { systemClock } from '../../../src/time/clock.ts'

/** A database in the PostgreSQL of this run of tests. */
export type Database = { url: string; remove(): Promise<void> }

const template = 'template_of_tests'

/** To be called once for the server, before any test: makes what all databases of tests are copies of. */
export async function prepareServer(port: number): Promise<void> {
  await query(urlOf(port, 'postgres'), `create database ${template}`)
  const store = await openStore(urlOf(port, template), systemClock)
  await store.close()
  const shape = await schemaFingerprint(urlOf(port, template))
  await query(urlOf(port, 'postgres'), 'create table free_databases (name text primary key)')
  await query(urlOf(port, 'postgres'), `create table expected as select '${shape}'::text as shape`)
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
 * A database with every table and no row. Making one takes half a second, so one that is removed is emptied and given to
 * the next test that asks, of whatever file; one whose tables are not as they were is dropped.
 */
export async function migratedDatabase(): Promise<Database> {
  const [free] = await asAdmin(
    'delete from free_databases where name = (select name from free_databases limit 1 for update skip locked) returning name',
  )
  const name = free?.name ?? newName()
  if (!free) await asAdmin(`create database ${name} template ${template}`)
  return { url: serverUrl(name), remove: () => returnDatabase(name) }
}

async function returnDatabase(name: string): Promise<void> {
  await asAdmin(`select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '${name}'`)
  const [expected] = await asAdmin('select shape from expected')
  if ((await schemaFingerprint(serverUrl(name))) !== expected?.shape) return await drop(name)
  await query(serverUrl(name), truncateSql)
  await asAdmin(`insert into free_databases values ('${name}')`)
}

async function drop(name: string): Promise<void> {
  await asAdmin(`drop database ${name} with (force)`)
}

const truncateSql = `
do $$
declare
  name text;
  filled text[] := '{}';
  has_rows boolean;
begin
  for name in select quote_ident(tablename) from pg_tables where schemaname = 'public' and tablename <> 'migrations' loop
    execute format('select exists (select 1 from %s)', name) into has_rows;
    if has_rows then filled := filled || name; end if;
  end loop;
  if cardinality(filled) > 0 then
    execute format('truncate %s restart identity cascade', array_to_string(filled, ', '));
  end if;
end $$`

/** Changes with any table, column, key, index, trigger or function, and with the migrations that are on record. */
async function schemaFingerprint(url: string): Promise<string> {
  const [row] = await query(
    url,
    `select md5(concat_ws('|',
      (select string_agg(format('%s.%s %s %s', attrelid::regclass, attname, atttypid::regtype, attnotnull), ',' order by attrelid::regclass::text, attnum)
        from pg_attribute join pg_class on pg_class.oid = attrelid where relnamespace = 'public'::regnamespace),
      (select string_agg(pg_get_constraintdef(oid), ',' order by conrelid::regclass::text, conname) from pg_constraint where connamespace = 'public'::regnamespace),
      (select string_agg(indexdef, ',' order by indexname) from pg_indexes where schemaname = 'public'),
      (select string_agg(tgname, ',' order by tgname) from pg_trigger where not tgisinternal),
      (select string_agg(proname, ',' order by proname) from pg_proc where pronamespace = 'public'::regnamespace),
      (select string_agg(name, ',' order by name) from migrations)
    )) as shape`,
  )
  return row?.shape ?? ''
}

const asAdmin = (statement: string) => query(serverUrl('postgres'), statement)

async function query(url: string, statement: string): Promise<Record<string, string>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}

const urlOf = (port: number, database: string) => `postgres://lastword:lastword@127.0.0.1:${port}/${database}`
const serverUrl = (database: string) => urlOf(inject('postgresPort'), database)
