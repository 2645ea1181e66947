import { statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { QueryResult } from 'kysely'
import { yieldToEventLoop } from '../../time/clock.ts'
import type { Availability } from './availability.ts'
import { StoreError, sqliteFailureKind } from './failure.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { storableParameters } from './storable-text.ts'
import { WriteLock } from './write-lock.ts'

export type SqliteOptions = {
  availability: Availability
  /** Milliseconds that a write waits for another program's write lock. */
  maxLockWaitMs: number
}

/** How long consecutive statements may hold the event loop before timers and connections can run. */
const maxRunMs = 10

/** A SQLite file with one connection for writing and one for reading. */
export class SqliteDatabase {
  readonly writeLock = new WriteLock()
  readonly #path: string
  readonly #writer: SqliteConnection
  #reader: SqliteConnection
  readonly #options: SqliteOptions
  #isClosed = false
  #lastPause = 0

  constructor(path: string, writer: SqliteConnection, options: SqliteOptions) {
    this.#path = path
    this.#writer = writer
    this.#reader = writer
    this.#options = options
  }

  useReader(reader: SqliteConnection): void {
    this.#reader = reader
  }

  get isInTransaction(): boolean {
    return this.#writer.isInTransaction
  }

  read<R>(sql: string, parameters: readonly unknown[]): Promise<QueryResult<R>> {
    return this.whenUnlocked(() => this.#run<R>(this.#reader, 'read', sql, parameters))
  }

  /**
   * Await it before each statement: SQLite answers synchronously, so a loop of statements would block all other work.
   * Yields to the event loop every ten milliseconds, also within transactions.
   */
  async yieldIfDue(): Promise<void> {
    for (;;) {
      const seen = this.#lastPause
      if (performance.now() - seen < maxRunMs) return
      await yieldToEventLoop()
      if (this.#lastPause !== seen) continue // another caller that waited has just yielded
      this.#lastPause = performance.now()
      return
    }
  }

  /** A statement on the writing connection, whose write lock the caller holds. */
  write<R>(sql: string, parameters: readonly unknown[] = []): QueryResult<R> {
    return this.#run<R>(this.#writer, 'write', sql, parameters)
  }

  /** Does the work when no other program holds the lock; throws StoreError `maxLockWaitMs` after `since`. */
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
      await sleep(waitMs * (0.5 + Math.random())) // random, or two processes would collide again
    }
  }

  /** Closes the reader first: the last connection writes the log into the main file, which a read-only one cannot. */
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
    this.#options.availability.recordSuccess(what)
    return result
  }

  /** The error of a statement inside a transaction, where statements are not retried. */
  reportFailure(error: unknown): unknown {
    return this.#noted(this.#failureOf(error))
  }

  #noted(failure: unknown): unknown {
    if (failure instanceof StoreError) this.#options.availability.recordFailure(failure)
    return failure
  }

  #failureOf(error: unknown): unknown {
    const kind = sqliteFailureKind(error)
    if (!kind) return error
    const isFull = kind === 'disk' && hasNoSpace(dirname(this.#path)) // its shared memory file cannot grow either
    return new StoreError(isFull ? 'full' : kind, { file: this.#path }, error)
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
