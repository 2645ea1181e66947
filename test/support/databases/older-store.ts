import { readFileSync } from 'node:fs'
import { CamelCasePlugin, Kysely } from 'kysely'
import { Availability } from '../../../src/store/drivers/availability.ts'
import { openSqlite } from '../../../src/store/drivers/sqlite.ts'
import { migrations } from '../../../src/store/migrate.ts'
import { postgresDialect } from '../../../src/store/postgres.ts'
import { systemClock } from '../../../src/time/clock.ts'

type Row = Record<string, string | number | null>

/** By table, in the order in which they can be filled; `migrations` holds what the older program had applied. */
type Rows = Record<string, Row[]> & { migrations: Row[] }

/** Fills an empty database with a store of fixtures/stores, with the tables that the program of that commit had. */
export async function loadOlderStore(url: string, commit: string): Promise<void> {
  const rows: Rows = JSON.parse(readFileSync(`fixtures/stores/${commit}.json`, 'utf8'))
  const db = new Kysely<Record<string, Row>>({ dialect: await dialectOf(url), plugins: [new CamelCasePlugin()] })
  try {
    await createTables(db as unknown as Kysely<never>, rows.migrations)
    for (const [table, some] of Object.entries(rows)) await db.withoutPlugins().insertInto(table).values(some).execute()
  } finally {
    await db.destroy()
  }
}

async function dialectOf(url: string) {
  const availability = new Availability(systemClock)
  if (!url.startsWith('file:')) return postgresDialect(url, availability)
  return await openSqlite(url.slice('file:'.length), { maxLockWaitMs: 1000, availability })
}

async function createTables(db: Kysely<never>, applied: Row[]): Promise<void> {
  const names = new Set(applied.map(({ name }) => name))
  for (const { name, up } of migrations) if (names.has(name)) await up(db)
  await db.schema
    .createTable('migrations')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('applied_at', 'text', (column) => column.notNull())
    .execute()
}
