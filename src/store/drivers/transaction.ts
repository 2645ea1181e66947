import type { Db } from '../schema.ts'

/** Does the work in a transaction: the current one, or a new one. */
export function transaction<T>(db: Db, work: (db: Db) => Promise<T>): Promise<T> {
  return db.isTransaction ? work(db) : db.transaction().execute(work)
}
