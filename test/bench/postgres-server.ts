import { readdirSync, readFileSync } from 'node:fs'
import pg from 'pg'
import { openPostgres, type PostgresServer } from '../support/databases/postgres.ts'

/** A PostgreSQL for the bench, each store in a database of its own. */
export class BenchPostgres {
  readonly #server: PostgresServer
  #made = 0

  constructor(server: PostgresServer) {
    this.#server = server
  }

  static async open(): Promise<BenchPostgres> {
    return new BenchPostgres(await openPostgres())
  }

  /** The address of an empty database. */
  async database(): Promise<string> {
    const name = `bench_${++this.#made}`
    await this.#query('postgres', `create database ${name}`)
    return this.#urlOf(name)
  }

  /** CPU seconds that all processes of the server have used so far; Linux only (`/proc`). */
  cpuSeconds(): number {
    const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    const own = all.map(statOf).filter((stat) => stat?.pid === this.#server.pid || stat?.parent === this.#server.pid)
    return own.reduce((sum, stat) => sum + (stat?.seconds ?? 0), 0)
  }

  /** How many updates of `deliveries` there were, and what share of them touched no index (HOT). */
  async hotShare(url: string): Promise<number> {
    const query = "select n_tup_upd as all, n_tup_hot_upd as hot from pg_stat_user_tables where relname = 'deliveries'"
    const [row] = await this.#query(new URL(url).pathname.slice(1), query)
    return Number(row?.hot) / Math.max(1, Number(row?.all))
  }

  remove(): Promise<void> {
    return this.#server.remove()
  }

  #urlOf(name: string): string {
    return `postgres://lastword:lastword@127.0.0.1:${this.#server.port}/${name}`
  }

  async #query(database: string, sql: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.#urlOf(database) })
    await client.connect()
    try {
      return (await client.query(sql)).rows
    } finally {
      await client.end()
    }
  }
}

const ticksPerSecond = 100

/** proc(5): the fields after the name; of the server itself also the time of children that have ended. */
function statOf(pid: string): { pid: number; parent: number; seconds: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const ticks = fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0)
    return { pid: Number(pid), parent: fields[1] ?? 0, seconds: ticks / ticksPerSecond }
  } catch {
    return undefined // it has ended meanwhile
  }
}
