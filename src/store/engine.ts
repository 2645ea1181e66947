import { type SelectQueryBuilder, sql } from 'kysely'
import type { Db, Schema } from './schema.ts'

/** The differences between the two engines, as capabilities. No other code checks which engine it is. */
export type Engine = {
  /** For people: "SQLite", "PostgreSQL". */
  name: string
  /** The function that finds a character in a text: `f('ann@example.org', '@')` is 4. */
  indexOf: 'instr' | 'strpos'
  /** Whether rows can be locked one by one, so that several processes write at the same time. */
  rowLocks: boolean
  /** Skips rows that another transaction holds, if rows can be locked. */
  skipLocked<T extends keyof Schema, O>(query: SelectQueryBuilder<Schema, T, O>): SelectQueryBuilder<Schema, T, O>
  /** Prevents other changes to these rows until this transaction ends. */
  lockRows<T extends keyof Schema, O>(query: SelectQueryBuilder<Schema, T, O>): SelectQueryBuilder<Schema, T, O>
  /** Prevents other writes to the table until this transaction ends. */
  lockTable(db: Db, table: keyof Schema): Promise<void>
  /** Prevents migrations by other processes until this transaction ends. */
  lockForMigration(db: Db): Promise<void>
}

/** One writer at a time: `begin immediate` in sqlite-driver.ts is the only lock needed. */
export const sqliteEngine: Engine = {
  name: 'SQLite',
  indexOf: 'instr',
  rowLocks: false,
  skipLocked: (query) => query,
  lockRows: (query) => query,
  lockTable: () => Promise.resolve(),
  lockForMigration: () => Promise.resolve(),
}

export const postgresEngine: Engine = {
  name: 'PostgreSQL',
  indexOf: 'strpos',
  rowLocks: true,
  skipLocked: (query) => query.forUpdate().skipLocked(),
  lockRows: (query) => query.forUpdate(),
  async lockTable(db, table) {
    await sql`lock table ${sql.table(table)} in exclusive mode`.execute(db)
  },
  async lockForMigration(db) {
    await sql`select pg_advisory_xact_lock(7236140112)`.execute(db)
  },
}
