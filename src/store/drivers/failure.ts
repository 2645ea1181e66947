import { AppError, messageOf, systemCode } from '../../errors.ts'
import { writeAccessHint } from './write-access.ts'

/**
 * The cause of a database failure that is not the statement's fault. `unreachable`: no connection, or a broken one ·
 * `locked`: another program holds the write lock · `full`: the disk · `disk`: reading or writing fails · `denied`: no
 * permission · `busy`: the server requests a retry · `damaged`: the file is not a valid database.
 */
export type StoreFailureKind = 'unreachable' | 'locked' | 'full' | 'disk' | 'denied' | 'busy' | 'damaged'

/** The location of the database for messages: the file of SQLite, or `host:port` of PostgreSQL. */
export type StoreLocation = { file: string } | { server: string }

/** A database that is unavailable or damaged. `cause` is the error of the driver. */
export class StoreError extends AppError {
  readonly kind: StoreFailureKind

  constructor(kind: StoreFailureKind, place: StoreLocation, cause: unknown) {
    super('unavailable', `${headings[kind]}: ${detailOf(cause, place)}`, { hint: hintOf(kind, place), cause })
    this.name = 'StoreError'
    this.kind = kind
  }
}

/**
 * Whether the same operation may succeed later without a change: a refused or lost connection, a server shutdown, a
 * locked database, a full disk. A failed commit may have succeeded, so only repeatable work may be retried.
 */
export function isStoreUnavailable(error: unknown): boolean {
  const failure = storeErrorIn(error)
  return failure !== undefined && failure.kind !== 'damaged'
}

/** The StoreError that the error is, or that its causes contain. */
export function storeErrorIn(error: unknown): StoreError | undefined {
  if (error instanceof StoreError) return error
  if (error instanceof SuppressedError) return storeErrorIn(error.suppressed) ?? storeErrorIn(error.error)
  return error instanceof Error ? storeErrorIn(error.cause) : undefined
}

/** A short public description of each kind, without the location. */
export const failureNames: Record<StoreFailureKind, string> = {
  unreachable: 'database unreachable',
  locked: 'database locked by another program',
  full: 'disk full',
  disk: 'disk of the database failing',
  denied: 'database read-only',
  busy: 'database too busy',
  damaged: 'database file damaged',
}

const headings: Record<StoreFailureKind, string> = {
  unreachable: 'the database cannot be reached',
  locked: 'the database is locked by another program',
  full: 'the disk is full',
  disk: 'the disk of the database cannot be read or written',
  denied: 'the database file cannot be written',
  busy: 'the database is too busy',
  damaged: 'the database file is damaged',
}

function detailOf(cause: unknown, place: StoreLocation): string {
  return `${'file' in place ? place.file : place.server}: ${messageOf(cause)}`
}

function hintOf(kind: StoreFailureKind, place: StoreLocation): string {
  if (kind === 'unreachable') return 'Is the PostgreSQL server running? Nothing is lost.'
  if (kind === 'locked')
    return 'Close the program that is writing to it (a database browser with unsaved changes, a backup). Nothing is lost.'
  if (kind === 'full') return 'Free some space. Nothing is lost.'
  if (kind === 'disk') return 'Check the disk and its free space.'
  if (kind === 'busy') return 'Nothing is lost. Try again in a minute.'
  const file = 'file' in place ? place.file : ''
  if (kind === 'denied') return writeAccessHint(file)
  return (
    `Stop lastword and keep a copy of the file. Then restore your last backup (docs/operations.md, "Restore"), ` +
    `or rescue what can still be read: sqlite3 ${file} .recover | sqlite3 rescued.db`
  )
}

/**
 * The primary result codes of SQLite (https://sqlite.org/rescode.html) that are about the environment rather than the
 * statement.
 */
const sqliteKinds: Record<number, StoreFailureKind> = {
  3: 'denied', // SQLITE_PERM
  5: 'locked', // SQLITE_BUSY
  6: 'locked', // SQLITE_LOCKED
  8: 'denied', // SQLITE_READONLY
  10: 'disk', // SQLITE_IOERR
  11: 'damaged', // SQLITE_CORRUPT
  13: 'full', // SQLITE_FULL
  14: 'denied', // SQLITE_CANTOPEN
  26: 'damaged', // SQLITE_NOTADB
}

/** The kind of an error of `node:sqlite`, whose `errcode` is SQLite's extended result code; undefined for any other. */
export function sqliteFailureKind(error: unknown): StoreFailureKind | undefined {
  if (systemCode(error) === 'ENOSPC') return 'full'
  const { errcode } = error as { errcode?: unknown }
  return typeof errcode === 'number' ? sqliteKinds[errcode & 0xff] : undefined
}

/** SQLSTATE codes (PostgreSQL manual, appendix A), or the class that their first two characters name. */
const postgresKinds: Record<string, StoreFailureKind> = {
  '08': 'unreachable', // connection_exception
  '57P01': 'unreachable', // admin_shutdown
  '57P02': 'unreachable', // crash_shutdown
  '57P03': 'unreachable', // cannot_connect_now
  '55000': 'unreachable', // object_not_in_prerequisite_state: a database that accepts no connections now
  '57P05': 'unreachable', // idle_session_timeout
  '25P03': 'unreachable', // idle_in_transaction_session_timeout
  '25006': 'unreachable', // read_only_sql_transaction: a standby, while a failover is under way
  '53100': 'full', // disk_full
  '53': 'busy', // insufficient_resources: memory, connections
  '40': 'busy', // transaction_rollback: deadlock, serialization
  '55P03': 'locked', // lock_not_available
  '58030': 'disk', // io_error
}

/** The kind of an error with a SQLSTATE; undefined if it is the statement's fault, or has none. */
export function postgresFailureKind(error: unknown): StoreFailureKind | undefined {
  const state = sqlState(error)
  return state === undefined ? undefined : (postgresKinds[state] ?? postgresKinds[state.slice(0, 2)])
}

/** The five characters of SQLSTATE from a PostgreSQL server; undefined for any other error. */
export function sqlState(error: unknown): string | undefined {
  const { code, severity } = error as { code?: unknown; severity?: unknown }
  return typeof code === 'string' && typeof severity === 'string' ? code : undefined
}
