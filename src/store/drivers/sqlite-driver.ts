import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteDialect,
} from 'kysely'
import type { SqliteDatabase } from './sqlite-database.ts'

/** SQLite for Kysely, with two connections and our own lock. */
export class TwoConnectionDialect extends SqliteDialect {
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
    return true // Kysely would run one query at a time; here only writes wait for each other
  }
}

/** A connection for Kysely, which shares the two connections of SQLite. */
class SharedConnection implements DatabaseConnection {
  readonly #database: SqliteDatabase
  /** Holds the write lock, between `begin` and the end. */
  isInTransaction = false
  /** Why SQLite ended the transaction: later statements must not run outside of it. */
  #endedBy: unknown

  constructor(database: SqliteDatabase) {
    this.#database = database
  }

  async executeQuery<R>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<R>> {
    await this.#database.yieldIfDue()
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
      const failure = this.#database.reportFailure(error)
      if (!this.#database.isInTransaction) this.#endedBy = failure
      throw failure
    }
  }

  streamQuery(): never {
    throw new Error('streaming is not supported: read page by page')
  }

  async begin(): Promise<void> {
    const since = performance.now()
    await this.#database.writeLock.acquire()
    try {
      // For writing from the start: a transaction that reads first cannot wait for the lock later.
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

  async acquireConnection(): Promise<SharedConnection> {
    return new SharedConnection(this.#database)
  }

  async releaseConnection(turn: SharedConnection): Promise<void> {
    if (turn.isInTransaction) await turn.rollback()
  }

  beginTransaction(turn: SharedConnection): Promise<void> {
    return turn.begin()
  }

  commitTransaction(turn: SharedConnection): Promise<void> {
    return turn.commit()
  }

  rollbackTransaction(turn: SharedConnection): Promise<void> {
    return turn.rollback()
  }

  async destroy(): Promise<void> {
    this.#database.close()
  }
}
