import { existsSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CamelCasePlugin, type Dialect, Kysely } from 'kysely'
import { AppError, messageOf, systemCode } from '../errors.ts'
import { findUrlSecrets, hasMisplacedPassword, maskUrl } from '../text/mask-url.ts'
import type { Clock } from '../time/clock.ts'
import { Availability } from './drivers/availability.ts'
import { StoreError, sqlState } from './drivers/failure.ts'
import type { SqliteOptions } from './drivers/sqlite-database.ts'
import { ensureSqliteFile } from './drivers/sqlite-file.ts'
import { writeAccessHint } from './drivers/write-access.ts'
import { type Engine, postgresEngine, sqliteEngine } from './engine.ts'
import { migrate } from './migrate.ts'
import type { Schema } from './schema.ts'

export type Store = {
  db: Kysely<Schema>
  engine: Engine
  migrated: string[]
  /** The absolute path of the file that was created; undefined if it existed. */
  createdFile: string | undefined
  /** Whether the database answers, and if not, since when. */
  availability: Availability
  /** Afterwards everything that is committed now survives a power cut too. */
  sync(): Promise<void>
  close(): Promise<void>
}

const defaultLockWaitMs = 60_000

export type OpenOptions = {
  /** How long a write to SQLite waits for another program that holds the write lock. */
  maxLockWaitMs?: number
  /** Whether a missing SQLite file is created; true if absent. */
  mayCreate?: boolean
}

/**
 * Opens the store and migrates it. `url` is `file:path` (SQLite, in WAL mode) or `postgres://…`. Throws AppError if the
 * file is missing and may not be created, is of another kind or not writable, if the server does not answer, or if the
 * database is newer than this program.
 */
export async function openStore(url: string, clock: Clock, options: OpenOptions = {}): Promise<Store> {
  const { maxLockWaitMs = defaultLockWaitMs, mayCreate = true } = options
  const availability = new Availability(clock)
  try {
    const { dialect, engine, sync, createdFile } = url.startsWith('file:')
      ? await sqlite(url.slice('file:'.length), mayCreate, { maxLockWaitMs, availability })
      : await postgres(url, availability)
    const db = new Kysely<Schema>({ dialect, plugins: [new CamelCasePlugin()] })
    try {
      const migrated = await migrate(db, engine, clock)
      return { db, engine, migrated, createdFile, availability, sync, close: () => db.destroy() }
    } catch (error) {
      await db.destroy().catch(() => {})
      throw error
    }
  } catch (error) {
    throw openError(url, error)
  }
}

/** Whether a store may exist: the file does, or it is a server. */
export function storeExists(url: string): boolean {
  return !url.startsWith('file:') || existsSync(url.slice('file:'.length))
}

type Opened = Pick<Store, 'engine' | 'sync' | 'createdFile'> & { dialect: Dialect }

async function postgres(url: string, availability: Availability): Promise<Opened> {
  const { postgresDialect } = await import('./postgres.ts')
  const sync = () => Promise.resolve() // it syncs each commit
  return { dialect: postgresDialect(url, availability), engine: postgresEngine, sync, createdFile: undefined }
}

async function sqlite(path: string, mayCreate: boolean, options: SqliteOptions): Promise<Opened> {
  const { openSqlite } = await import('./drivers/sqlite.ts')
  const createdFile = ensureSqliteFile(path, mayCreate) ? resolve(path) : undefined
  const dialect = await openSqlite(path, options)
  return { dialect, engine: sqliteEngine, sync: () => syncFile(`${path}-wal`), createdFile }
}

/** Writes a file to the disk outside of this thread; a missing file needs nothing. */
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

function openError(url: string, error: unknown): AppError {
  const store = `the store ${maskUrl(url)} cannot be opened`
  if (error instanceof StoreError ? error.kind !== 'unreachable' && error.kind !== 'denied' : error instanceof AppError)
    return error as AppError
  const cause = error instanceof StoreError ? error.cause : error
  if (sqlState(cause) === undefined && (hasUnescapedPassword(url) || hasMisplacedPassword(url))) {
    return new AppError('unavailable', `${store}: its password contains characters with a special meaning`, {
      hint: 'In the password write @ as %40, # as %23, / as %2F, ? as %3F, : as %3A and % as %25.',
    }) // without the cause, which names a part of the password as the host
  }
  const message = findUrlSecrets(url)
    .filter(({ length }) => length >= minMaskedLength)
    .reduce((text, secret) => text.replaceAll(secret, '********'), messageOf(cause))
  const isSafe = systemCode(cause) !== 'ERR_INVALID_URL' // it contains the whole address
  return new AppError('unavailable', `${store}: ${message}`, {
    hint: openHint(url, cause),
    ...(isSafe && { cause: error }),
  })
}

/** Shorter secrets would also match words of the message. */
const minMaskedLength = 4

function openHint(url: string, error: unknown): string | undefined {
  const path = url.slice('file:'.length)
  const hints: Record<string, string> = {
    ECONNREFUSED: 'Is the PostgreSQL server running, and are host and port right?',
    ENOTFOUND: 'Is the host name right?',
    EACCES: url.startsWith('file:')
      ? writeAccessHint(path)
      : 'The user that runs lastword needs to write to that folder.',
    EROFS: 'The folder is read-only: choose another with store.url in lastword.yml.',
  }
  return hints[systemCode(error) ?? ''] ?? (url.startsWith('file:') ? writeAccessHint(path) : undefined)
}

/**
 * Whether the URL has a password with a character that ends it there for a parser (RFC 3986 §3.2). A colon with digits
 * and a slash is a port, followed by a path and a query.
 */
function hasUnescapedPassword(url: string): boolean {
  const [, password = ''] = /^postgres(?:ql)?:\/\/[^:/?#]*:(.*)@/.exec(url) ?? []
  return /[#/?]|%(?![0-9a-f]{2})/i.test(password) && !/^\d+\//.test(password)
}
