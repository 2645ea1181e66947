import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Store } from '../../../src/store/open.ts'

/**
 * Resolves once the work is done, or waits for a lock that another transaction holds: "done" or "waits". Where a
 * transaction keeps all others out there is nothing to watch: the work waits.
 */
export async function waitUntilDoneOrLocked({ db, engine }: Store, work: Promise<unknown>): Promise<'done' | 'waits'> {
  let isDone = false
  const end = () => {
    isDone = true
  }
  work.then(end, end)
  while (engine.rowLocks) {
    if (isDone) return 'done'
    const { rows } = await sql`select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(db)
    if (rows.length > 0) return 'waits'
    await setImmediate()
  }
  return 'waits'
}

/** Begins a transaction, does the work in it, and returns before its end; `commit` ends it. */
export async function openTransaction<T>({ db }: Store, work: (trx: Store['db']) => Promise<T>) {
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>()
  const { promise: result, resolve: worked, reject } = Promise.withResolvers<T>()
  const transaction = db.transaction().execute(async (trx) => {
    worked(await work(trx))
    await mayEnd
  })
  transaction.catch(reject)
  const commit = () => {
    end()
    return transaction
  }
  return { result: await result, commit }
}
