import { mkdirSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteDialect,
} from 'kysely'
import type { Availability } from './availability.ts'
import { StoreError, sqliteFailureKind } from './failure.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import { storableParameters } from './text.ts'
import { WriteLock } from './write-lock.ts'

export type SqliteOptions = {
  availability: Availability
  /** How long a write waits for another program that holds the write lock, in milliseconds. */
  maxLockWaitMs: number
}

/**
 * Opens a file of SQLite in WAL mode, with one connection that writes and one that reads: who only reads waits neither
 * for a transaction of ours nor for the write lock of another program. Nobody waits on this thread: SQLite answers at
 * once that it is locked, and we ask again a little later. What fails by its surroundings throws StoreError.
 */
export async function openSqlite(path: string, options: SqliteOptions): Promise<Dialect> {
  mkdirSync(dirname(path), { recursive: true })
  const writing = new DatabaseSync(path, { timeout: 0 })
  const database = new SqliteDatabase(path, new SqliteConnection(writing), options)
  try {
    // NORMAL in WAL mode loses nothing when the process is killed; only a power cut may take what `sync` has not reached.
    // At each checkpoint this thread waits for the disk twice: after 16 MB, and not after 4, a page that changes often is written once.
    await database.whenUnlocked(() =>
      writing.exec(
        'pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on; pragma wal_autocheckpoint = 4000',
      ),
    )
    database.readWith(new SqliteConnection(new DatabaseSync(path, { timeout: 0, readOnly: true })))
  } catch (error) {
    database.close()
    throw error
  }
  return new TwoConnectionDialect(database)
}

class TwoConnectionDialect extends SqliteDialect {
  readonly #database: SqliteDatabase

  constructor(database: SqliteDatabase) {
    super({ database: () => Promise.reject(new Error('the driver below is used')) })
    this.#database = database
  }

  override createDriver(): Driver {
    return new SqliteDriver(this.#database)
  }

  override createAdapter(): SqliteAdapter {
    return new TwoConnectionAdapter()
  }
}

class TwoConnectionAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true // Kysely would let one query at a time through; here writes take turns by a lock that reads do not need
  }
}

class SqliteDatabase {
  readonly writeLock = new WriteLock()
  readonly #path: string
  readonly #writer: SqliteConnection
  #reader: SqliteConnection
  readonly #options: SqliteOptions
  #isClosed = false

  constructor(path: string, writer: SqliteConnection, options: SqliteOptions) {
    this.#path = path
    this.#writer = writer
    this.#reader = writer
    this.#options = options
  }

  readWith(reader: SqliteConnection): void {
    this.#reader = reader
  }

  get isInTransaction(): boolean {
    return this.#writer.isInTransaction
  }

  read<R>(sql: string, parameters: readonly unknown[]): Promise<QueryResult<R>> {
    return this.whenUnlocked(() => this.#run<R>(this.#reader, 'read', sql, parameters))
  }

  /** A statement on the writing connection, whose write lock the caller holds. */
  write<R>(sql: string, parameters: readonly unknown[] = []): QueryResult<R> {
    return this.#run<R>(this.#writer, 'write', sql, parameters)
  }

  /** Does the work once no other program's lock is in its way; throws StoreError `maxLockWaitMs` after `since`. */
  async whenUnlocked<T>(work: () => T, since = performance.now()): Promise<T> {
    const deadline = since + this.#options.maxLockWaitMs
    for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, 32)) {
      try {
        return work()
      } catch (error) {
        const failure = this.#failureOf(error)
        const isLocked = failure instanceof StoreError && failure.kind === 'locked'
        if (!isLocked || this.#isClosed || performance.now() >= deadline) throw this.#noted(failure)
      }
      await sleep(waitMs * (0.5 + Math.random())) // by chance, or two processes would meet again and again
    }
  }

  /** The reader first: the last connection brings everything into the main file, which one that only reads cannot. */
  close(): void {
    this.#isClosed = true
    if (this.#reader !== this.#writer) this.#reader.close()
    this.#writer.close()
  }

  #run<R>(
    connection: SqliteConnection,
    what: 'read' | 'write',
    sql: string,
    parameters: readonly unknown[],
  ): QueryResult<R> {
    const result = connection.run<R>(sql, storableParameters(parameters))
    this.#options.availability.succeeded(what)
    return result
  }

  /** The error of a statement inside a transaction, where nothing is asked again. */
  failed(error: unknown): unknown {
    return this.#noted(this.#failureOf(error))
  }

  #noted(failure: unknown): unknown {
    if (failure instanceof StoreError) this.#options.availability.failed(failure)
    return failure
  }

  #failureOf(error: unknown): unknown {
    const kind = sqliteFailureKind(error)
    if (!kind) return error
    const isFull = kind === 'disk' && hasNoSpace(dirname(this.#path)) // its shared memory file cannot grow either
    return new StoreError(isFull ? 'full' : kind, { file: this.#path }, error)
  }
}

/** What Kysely takes for a connection: a turn with one of the two. */
class Turn implements DatabaseConnection {
  readonly #database: SqliteDatabase
  /** Holds the write lock, between `begin` and the end. */
  isInTransaction = false
  /** Why SQLite has ended the transaction by itself: what follows must not be done outside of it. */
  #endedBy: unknown

  constructor(database: SqliteDatabase) {
    this.#database = database
  }

  async executeQuery<R>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<R>> {
    if (this.isInTransaction) return this.execute<R>(sql, parameters)
    if (query.kind === 'SelectQueryNode') return await this.#database.read<R>(sql, parameters)
    const since = performance.now()
    await this.#database.writeLock.acquire()
    try {
      return await this.#database.whenUnlocked(() => this.#database.write<R>(sql, parameters), since)
    } finally {
      this.#database.writeLock.release()
    }
  }

  /** A statement inside the transaction. */
  execute<R>(sql: string, parameters: readonly unknown[] = []): QueryResult<R> {
    if (this.#endedBy) throw this.#endedBy
    try {
      return this.#database.write<R>(sql, parameters)
    } catch (error) {
      const failure = this.#database.failed(error)
      if (!this.#database.isInTransaction) this.#endedBy = failure
      throw failure
    }
  }

  streamQuery(): never {
    throw new Error('nothing is streamed: read page by page')
  }

  async begin(): Promise<void> {
    const since = performance.now()
    await this.#database.writeLock.acquire()
    try {
      // At once for writing: a transaction that has read, and only then had to wait, would fail instead.
      await this.#database.whenUnlocked(() => this.#database.write('begin immediate'), since)
      this.isInTransaction = true
      this.#endedBy = undefined
    } catch (error) {
      this.#database.writeLock.release()
      throw error
    }
  }

  async commit(): Promise<void> {
    this.execute('commit')
    this.#end()
  }

  async rollback(): Promise<void> {
    try {
      if (this.#database.isInTransaction) this.#database.write('rollback')
    } finally {
      this.#end()
    }
  }

  #end(): void {
    this.isInTransaction = false
    this.#database.writeLock.release()
  }
}

class SqliteDriver implements Driver {
  readonly #database: SqliteDatabase

  constructor(database: SqliteDatabase) {
    this.#database = database
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<Turn> {
    return new Turn(this.#database)
  }

  async releaseConnection(turn: Turn): Promise<void> {
    if (turn.isInTransaction) await turn.rollback()
  }

  beginTransaction(turn: Turn): Promise<void> {
    return turn.begin()
  }

  commitTransaction(turn: Turn): Promise<void> {
    return turn.commit()
  }

  rollbackTransaction(turn: Turn): Promise<void> {
    return turn.rollback()
  }

  async destroy(): Promise<void> {
    this.#database.close()
  }
}

function hasNoSpace(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize < 65_536
  } catch {
    return false
  }
}
