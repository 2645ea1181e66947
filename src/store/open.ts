import { mkdirSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { CamelCasePlugin, Kysely, type SqliteDatabase, SqliteDialect } from 'kysely'
import type { Clock } from '../clock.ts'
import { maskUrl } from '../config.ts'
import { AppError, messageOf, systemCode } from '../errors.ts'
import { Availability } from './availability.ts'
import { type Engine, postgresEngine, sqliteEngine } from './engine.ts'
import { StoreError } from './failure.ts'
import { migrate } from './migrate.ts'
import type { Schema } from './schema.ts'

export type Store = {
  db: Kysely<Schema>
  engine: Engine
  migrated: string[]
  /** Whether it answers, and if not, since when. */
  availability: Availability
  /** Afterwards everything that is committed now outlives a power cut too. */
  sync(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the store and brings it up to date. `url` is `file:path` (SQLite, in WAL mode) or `postgres://…`.
 * Throws AppError when the file cannot be written, the server does not answer, or the database is newer than us.
 */
export async function openStore(url: string, clock: Clock): Promise<Store> {
  const availability = new Availability(clock)
  const { dialect, engine, sync } = url.startsWith('file:')
    ? await sqlite(url.slice('file:'.length))
    : await postgres(url, availability)
  const db = new Kysely<Schema>({ dialect, plugins: [new CamelCasePlugin()] })
  try {
    const migrated = await migrate(db, engine, clock)
    return { db, engine, migrated, availability, sync, close: () => db.destroy() }
  } catch (error) {
    await db.destroy().catch(() => {})
    throw openError(url, error)
  }
}

async function postgres(url: string, availability: Availability) {
  const { postgresDialect } = await import('./postgres.ts')
  return { dialect: postgresDialect(url, availability), engine: postgresEngine, sync: () => Promise.resolve() } // it syncs each commit
}

async function sqlite(path: string) {
  const { DatabaseSync } = await import('node:sqlite')
  try {
    mkdirSync(dirname(path), { recursive: true })
    const database = new DatabaseSync(path, { timeout: 10_000 })
    // NORMAL in WAL mode loses nothing when the process is killed; only a power cut may take what `sync` has not reached.
    database.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on')
    // At each checkpoint this thread waits for the disk twice: after 16 MB, and not after 4, a page that changes often is written once.
    database.exec('pragma wal_autocheckpoint = 4000')
    return {
      dialect: new SqliteDialect({ database: forKysely(database) }),
      engine: sqliteEngine,
      sync: () => syncFile(`${path}-wal`),
    }
  } catch (error) {
    throw openError(`file:${path}`, error)
  }
}

/** Brings a file to the disk, off this thread. One that is not there has nothing to bring. */
async function syncFile(path: string): Promise<void> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  try {
    await file.datasync()
  } finally {
    await file.close()
  }
}

/**
 * `node:sqlite` in the shape that Kysely's dialect knows. Statements are kept, because preparing one costs more than
 * running it. A transaction takes the write lock at once: one that read first and then had to wait would fail instead.
 */
function forKysely(database: DatabaseSync): SqliteDatabase {
  const statements = new Map<string, ReturnType<typeof prepare>>()
  const prepare = (sql: string) => {
    const statement = database.prepare(sql)
    type Values = Parameters<typeof statement.all>
    return {
      reader: statement.columns().length > 0,
      all: (values: readonly unknown[]) => statement.all(...(values as Values)),
      run: (values: readonly unknown[]) => statement.run(...(values as Values)),
      iterate: (values: readonly unknown[]) => statement.iterate(...(values as Values)),
    }
  }
  return {
    prepare(sql) {
      const text = sql === 'begin' ? 'begin immediate' : sql
      const known = statements.get(text)
      if (known) return known
      const statement = prepare(text)
      if (statements.size < 500) statements.set(text, statement)
      return statement
    },
    close() {
      statements.clear()
      database.close()
    },
  }
}

function openError(url: string, error: unknown): AppError {
  if (error instanceof AppError && !(error instanceof StoreError && error.kind === 'unreachable')) return error
  const hints: Record<string, string> = {
    ECONNREFUSED: 'Is the PostgreSQL server running, and are host and port right?',
    ENOTFOUND: 'Is the host name right?',
    EACCES: 'The user that runs lastword needs to write to that folder.',
    EROFS: 'The folder is read-only: choose another with store.url in lastword.yml.',
  }
  const path = url.slice('file:'.length)
  const hint =
    hints[systemCode(error) ?? ''] ??
    (url.startsWith('file:')
      ? `The user that runs lastword needs to write to ${dirname(path)} and to ${path}.`
      : undefined)
  return new AppError(
    'unavailable',
    `the store ${maskUrl(url)} cannot be opened: ${messageOf(error instanceof StoreError ? error.cause : error)}`,
    {
      hint,
      cause: error,
    },
  )
}
