import {
  type Dialect,
  PostgresDialect,
  type PostgresPool,
  type PostgresPoolClient,
  type PostgresQueryResult,
} from 'kysely'
import pg from 'pg'
import type { Availability } from './drivers/availability.ts'
import { postgresFailureKind, StoreError, type StoreLocation, sqlState } from './drivers/failure.ts'
import { statementName } from './drivers/prepared-statements.ts'
import { storableParameters } from './drivers/storable-text.ts'

/** The dialect for `postgres://…`. Connections are opened on demand; failures throw StoreError. */
export function postgresDialect(url: string, availability: Availability): Dialect {
  pg.types.setTypeParser(pg.types.builtins.INT8, Number) // counts; none of ours passes 2^53
  return new PostgresDialect({ pool: new GuardedPool(url, availability) })
}

/**
 * `pg` emits `error` on a client when its connection breaks, and an `error` without a listener ends the process. The
 * current or next statement rejects as well, which reports the failure.
 */
class Client extends pg.Client {
  /** The connection broke. */
  isLost = false

  constructor(config?: string | pg.ClientConfig) {
    super(config)
    this.on('error', () => {
      this.isLost = true
    })
    this.on('end', () => {
      this.isLost = true
    })
  }
}

class GuardedPool implements PostgresPool {
  readonly #pool: pg.Pool
  readonly #place: StoreLocation
  readonly #availability: Availability
  readonly #guarded = new WeakMap<pg.PoolClient, GuardedClient>()

  constructor(url: string, availability: Availability) {
    this.#pool = new pg.Pool({
      connectionString: url,
      Client: Client as unknown as new () => pg.ClientBase,
      max: 12,
      connectionTimeoutMillis: 10_000,
      keepAlive: true, // else a query to a server that vanished would never end
      keepAliveInitialDelayMillis: 10_000,
    })
    this.#pool.on('error', () => {}) // an idle connection that broke is replaced
    this.#place = { server: serverOf(url) }
    this.#availability = availability
  }

  get options(): object {
    return this.#pool.options
  }

  async connect(): Promise<PostgresPoolClient> {
    const client = await this.#connect()
    const guarded = this.#guarded.get(client) ?? new GuardedClient(client, this.#place, this.#availability)
    this.#guarded.set(client, guarded)
    return guarded as unknown as PostgresPoolClient // without the overload for cursors, which we do not use
  }

  async end(): Promise<void> {
    await this.#pool.end()
  }

  async #connect(): Promise<pg.PoolClient & Client> {
    try {
      return (await this.#pool.connect()) as pg.PoolClient & Client
    } catch (error) {
      if (this.#pool.ending) throw error // requested after `close`: an error of the caller
      const kind = sqlState(error) === undefined ? 'unreachable' : postgresFailureKind(error)
      if (!kind) throw error
      const failure = new StoreError(kind, this.#place, error)
      this.#availability.recordFailure(failure)
      throw failure
    }
  }
}

/** A client of the pool that throws StoreError for failures that are not the statement's fault. */
class GuardedClient {
  readonly #client: pg.PoolClient & Client
  readonly #place: StoreLocation
  readonly #availability: Availability

  constructor(client: pg.PoolClient & Client, place: StoreLocation, availability: Availability) {
    this.#client = client
    this.#place = place
    this.#availability = availability
  }

  async query<R>(sql: string, parameters: ReadonlyArray<unknown>): Promise<PostgresQueryResult<R>> {
    try {
      const name = statementName(sql) // planned once for each connection
      const values = storableParameters(parameters) as unknown[]
      const result = await this.#client.query({ text: sql, values, ...(name !== undefined && { name }) })
      this.#availability.recordSuccess(result.command === 'SELECT' ? 'read' : 'write')
      return result as unknown as PostgresQueryResult<R>
    } catch (error) {
      const failure = this.#failureOf(error)
      if (sql !== 'rollback') throw failure
      this.#client.isLost = true // the server rolls back without a connection; the first failure is reported
      return { command: 'ROLLBACK', rowCount: 0, rows: [] }
    }
  }

  release(destroy = false): void {
    this.#client.release(destroy || this.#client.isLost)
  }

  #failureOf(error: unknown): unknown {
    const kind = sqlState(error) === undefined && this.#client.isLost ? 'unreachable' : postgresFailureKind(error)
    if (!kind) return error
    const failure = new StoreError(kind, this.#place, error)
    this.#availability.recordFailure(failure)
    return failure
  }
}

/** `host:port` of a connection string, without user and password. */
function serverOf(url: string): string {
  if (!URL.canParse(url)) return 'PostgreSQL'
  const { hostname, port } = new URL(url)
  return `${hostname || 'local socket'}:${port || 5432}`
}
