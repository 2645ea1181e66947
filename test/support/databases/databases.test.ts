import pg from 'pg'
import { expect, test } from 'vitest'
import { migratedDatabase } from './databases.ts'

async function run(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query(statement)
  await client.end()
  return rows
}

test('a database that was filled is emptied for the next test, but for its migrations', async () => {
  const { url, remove } = await migratedDatabase()
  await run(
    url,
    `insert into robots (origin, rules, fetched_at) select 'https://a.example/' || n, repeat('x', 200), '' from generate_series(1, 10) n`,
  )
  await run(
    url,
    `insert into workers (id, host, pid, started_at, seen_at) select n, repeat('x', 200), 1, '', '' from generate_series(1, 10000) n`,
  )
  await remove()
  const counts =
    '(select count(*) from robots) + (select count(*) from workers) as rows, (select count(*) from migrations) as migrations'
  const [left] = await run(url, `select ${counts}`)
  expect(left).toEqual({ rows: '0', migrations: expect.stringMatching(/^[1-9]/) })
})

test.each([
  'alter table robots add column more text',
  'alter table articles drop constraint articles_identity',
  'create table more (id text)',
  'delete from migrations where name = (select max(name) from migrations)',
])('a database is dropped after %s', async (change) => {
  const { url, remove } = await migratedDatabase()
  await run(url, change)
  await remove()
  await expect(run(url, 'select 1')).rejects.toThrow('does not exist')
})
