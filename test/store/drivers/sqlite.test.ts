import { readdirSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { isStoreUnavailable } from '../../../src/store/drivers/failure.ts'
import { ensureFeeds } from '../../../src/store/feeds/feeds.ts'
import { openStore, type Store } from '../../../src/store/open.ts'
import { fakeClock } from '../../support/clock.ts'
import { sqliteUrl } from '../../support/databases/engines.ts'

const clock = fakeClock()
const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function opened(options?: Parameters<typeof openStore>[2]): Promise<Store & { path: string }> {
  const { url, remove } = sqliteUrl()
  closing.push(remove)
  const store = await openStore(url, clock, options)
  closing.push(store.close)
  return { ...store, path: url.slice('file:'.length) }
}

/** Another program that holds the write lock of the file until it is told to let go. */
function lock(path: string): () => void {
  const other = new DatabaseSync(path)
  closing.push(() => other.close())
  other.exec('begin immediate')
  return () => other.exec('rollback')
}

const feeds = async (db: Store['db']) => (await db.selectFrom('feeds').select('url').execute()).map(({ url }) => url)

const add = (db: Store['db'], name: string) => ensureFeeds(db, [`https://${name}.example/feed`], clock.now())

const pending = Symbol('pending')

/** Whether the work is still under way after everything else had many turns. */
async function isWaiting(work: Promise<unknown>): Promise<boolean> {
  for (let turn = 0; turn < 50; turn++) {
    if ((await Promise.race([work, nextTurn(pending)])) !== pending) return false
  }
  return true
}

test.each(['between statements', 'between the statements of a transaction'])(
  'a loop that only awaits statements lets everything else have its turn, %s',
  async (where) => {
    const { db } = await opened()
    let isTurn = false
    setImmediate(() => {
      isTurn = true
    })
    const loop = async (one: Store['db']) => {
      let statements = 0
      while (!isTurn && statements < 50_000)
        statements += (await one.selectFrom('feeds').select('id').execute()).length + 1
    }
    await (where === 'between statements' ? loop(db) : db.transaction().execute(loop))
    expect(isTurn).toBe(true)
  },
)

test('while another program holds the write lock, writes wait, reads are answered and others have their turns', async () => {
  const store = await opened()
  await add(store.db, 'first')
  const unlock = lock(store.path)
  const write = add(store.db, 'second')
  const transaction = store.db.transaction().execute((trx) => add(trx, 'third'))
  expect(await isWaiting(write)).toBe(true)
  expect(await isWaiting(transaction)).toBe(true)
  expect(await feeds(store.db)).toEqual(['https://first.example/feed'])
  unlock()
  await Promise.all([write, transaction])
  expect(await feeds(store.db)).toHaveLength(3)
})

test('a write lock that is held for too long fails the write as a value, and reads go on', async () => {
  const store = await opened({ maxLockWaitMs: 30 })
  const unlock = lock(store.path)
  const errors = await Promise.all(
    [add(store.db, 'first'), store.db.transaction().execute((trx) => add(trx, 'second'))].map((work) =>
      work.then(
        () => undefined,
        (error: unknown) => error,
      ),
    ),
  )
  expect(errors.map(isStoreUnavailable)).toEqual([true, true])
  expect(errors[0]).toMatchObject({ message: expect.stringContaining('locked by another program') })
  expect(store.availability.outage).toMatchObject({ since: clock.now() })
  expect(await feeds(store.db)).toEqual([])
  expect(store.availability.outage?.error.kind).toBe('locked') // that a read is answered says nothing of it
  unlock()
  await add(store.db, 'third')
  expect(await feeds(store.db)).toEqual(['https://third.example/feed'])
  expect(store.availability.outage).toBeUndefined()
})

test('what is written in a transaction is read inside it at once, outside of it once it is committed', async () => {
  const store = await opened()
  await store.db.transaction().execute(async (trx) => {
    await add(trx, 'first')
    expect(await feeds(trx)).toEqual(['https://first.example/feed'])
    expect(await feeds(store.db)).toEqual([])
  })
  expect(await feeds(store.db)).toEqual(['https://first.example/feed'])
  await store.db.deleteFrom('feeds').execute()
  expect(await feeds(store.db)).toEqual([])
})

test('transactions take turns in the order in which they were asked for', async () => {
  const { db } = await opened()
  const order: number[] = []
  const transactions = [1, 2, 3].map((number) =>
    db.transaction().execute(async (trx) => {
      order.push(number)
      await nextTurn()
      await feeds(trx)
      order.push(number)
    }),
  )
  await Promise.all(transactions)
  expect(order).toEqual([1, 1, 2, 2, 3, 3])
})

test('a transaction that SQLite ends because the disk is full does none of its later statements', async () => {
  const { db, availability } = await opened()
  const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db)
  const pages = Number(Object.values(rows[0] ?? {})[0])
  await sql.raw(`pragma max_page_count = ${pages + 2}`).execute(db)
  const filling = db.transaction().execute(async (trx) => {
    await add(trx, 'before')
    const big = { origin: 'https://big.example', rules: 'x'.repeat(1_000_000), fetchedAt: clock.now() }
    const failure = await trx
      .insertInto('robots')
      .values(big)
      .execute()
      .catch((error: unknown) => error)
    expect(isStoreUnavailable(failure)).toBe(true)
    await add(trx, 'after')
  })
  await expect(filling).rejects.toMatchObject({ kind: 'full', hint: expect.stringContaining('Free some space') })
  expect(await feeds(db)).toEqual([])
  expect(availability.outage?.error.kind).toBe('full')
  await sql.raw('pragma max_page_count = 1000000').execute(db)
  await add(db, 'again')
  expect(availability.outage).toBeUndefined()
})

test('the log of changes does not grow without end, though a second connection reads', async () => {
  const { db, path } = await opened()
  for (let index = 0; index < 40; index++) {
    const rules = `${index}`.repeat(500_000)
    await db
      .insertInto('robots')
      .values({ origin: `https://${index}.example`, rules, fetchedAt: clock.now() })
      .execute()
    expect(await db.selectFrom('robots').select('origin').execute()).toHaveLength(index + 1)
  }
  expect(statSync(path).size).toBeGreaterThan(15_000_000)
  expect(statSync(`${path}-wal`).size).toBeLessThan(25_000_000)
})

test('closing leaves one whole file and nothing beside it', async () => {
  const { url, folder, remove } = sqliteUrl()
  closing.push(remove)
  const store = await openStore(url, clock)
  await add(store.db, 'first')
  await feeds(store.db)
  await store.close()
  expect(readdirSync(folder)).toEqual(['lastword.db'])
})
