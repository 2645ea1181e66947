import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { isStoreUnavailable } from '../../../src/store/drivers/failure.ts'
import { openStore, type Store } from '../../../src/store/open.ts'
import { fakeClock } from '../../support/clock.ts'
import { migratedDatabase, ownServer } from '../../support/databases/databases.ts'

const clock = fakeClock()
const closing: (() => Promise<unknown>)[] = []
const uncaught: unknown[] = []
const note = (error: unknown) => void uncaught.push(error)
process.on('uncaughtException', note)

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
  expect(uncaught.splice(0)).toEqual([])
})

afterAll(() => {
  process.removeListener('uncaughtException', note)
})

async function openOn(url: string): Promise<Store> {
  const store = await openStore(url, clock)
  closing.push(store.close)
  return store
}

/** A store on a database of its own, and what ends every connection to it, as an administrator would. */
async function openCuttable() {
  const { url, remove } = await migratedDatabase()
  closing.push(remove)
  const store = await openOn(url)
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  closing.push(() => admin.end())
  const cut = async () => {
    const { rows } = await admin.query(
      'select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    return rows.length
  }
  return { ...store, admin, cut }
}

const feeds = ({ db }: Pick<Store, 'db'>) => db.selectFrom('feeds').selectAll().execute()

/** How an operation ended: its error, which must be there. */
async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.fail('it succeeded'),
    (error: unknown) => error,
  )
}

test('a connection that is cut between two statements of a transaction fails it as a value, and the next one succeeds', async () => {
  const store = await openCuttable()
  const error = await failureOf(
    store.db.transaction().execute(async (trx) => {
      await feeds({ db: trx })
      expect(await store.cut()).toBeGreaterThan(0)
      await feeds({ db: trx })
    }),
  )
  expect(isStoreUnavailable(error)).toBe(true)
  expect(await feeds(store)).toEqual([])
})

test('a transaction whose own work fails tells of that, though its connection is gone when it is rolled back', async () => {
  const store = await openCuttable()
  const error = await failureOf(
    store.db.transaction().execute(async (trx) => {
      await feeds({ db: trx })
      await store.cut()
      throw new Error('nobody is called that')
    }),
  )
  expect(error).toMatchObject({ message: 'nobody is called that' })
})

test('a connection that is cut before its commit fails as a value', async () => {
  const store = await openCuttable()
  const error = await failureOf(
    store.db.transaction().execute(async (trx) => {
      await feeds({ db: trx })
      await store.cut()
    }),
  )
  expect(isStoreUnavailable(error)).toBe(true)
})

test('a statement under way whose connection is cut fails as a value', async () => {
  const store = await openCuttable()
  await store.admin.query('begin')
  await store.admin.query('lock table feeds in access exclusive mode')
  const reading = failureOf(feeds(store))
  await waitsForLock(store.admin)
  await store.cut()
  expect(isStoreUnavailable(await reading)).toBe(true)
  await store.admin.query('rollback')
  expect(await feeds(store)).toEqual([])
})

async function waitsForLock(admin: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await admin.query(
      'select 1 from pg_stat_activity where datname = current_database() and wait_event_type = $1',
      ['Lock'],
    )
    if (rows.length > 0) return
  }
}

test('connections that are cut while they are idle are replaced, and at most the first statement fails as a value', async () => {
  const store = await openCuttable()
  await Promise.all([feeds(store), feeds(store), feeds(store)])
  expect(await store.cut()).toBeGreaterThan(1)
  const first = await feeds(store).catch((error: unknown) => error)
  if (first instanceof Error) expect(isStoreUnavailable(first)).toBe(true)
  await vi.waitFor(async () => expect(await feeds(store)).toEqual([]))
})

test('a server that is stopped and started again is away meanwhile, says since when, and serves again', async () => {
  const server = await ownServer()
  closing.push(server.remove)
  const store = await openOn(`postgres://lastword:lastword@127.0.0.1:${server.port}/postgres`)
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
  const inTransaction = failureOf(
    store.db.transaction().execute(async (trx) => {
      await feeds({ db: trx })
      begin()
      await stopped
      await feeds({ db: trx })
    }),
  )
  await begun
  await server.stop()
  stop()
  expect(isStoreUnavailable(await inTransaction)).toBe(true)
  expect(store.availability.outage?.since).toBe(clock.now())
  for (let times = 0; times < 3; times++) {
    const error = await failureOf(feeds(store))
    expect(isStoreUnavailable(error)).toBe(true)
    expect(error).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^the database cannot be reached: 127\.0\.0\.1:\d+: /),
    })
  }
  await server.start()
  expect(await feeds(store)).toEqual([])
  expect(store.availability.outage).toBeUndefined()
})

test.each([
  ['53100', /^the disk is full: /],
  ['53200', /^the database is too busy: /],
  ['57P03', /^the database cannot be reached: /],
  ['40P01', /^the database is too busy: /],
  ['55P03', /^the database is locked by another program: /],
])('a server that answers with SQLSTATE %s is away, in words of ours', async (state, words) => {
  const store = await openCuttable()
  const error = await failureOf(
    sql.raw(`do $$ begin raise exception 'as a server says it' using errcode = '${state}'; end $$`).execute(store.db),
  )
  expect(isStoreUnavailable(error)).toBe(true)
  expect((error as Error).message).toMatch(words)
})

test('a mistake in a statement is not taken for a database that is away', async () => {
  const store = await openCuttable()
  const error = await failureOf(
    store.db
      .selectFrom('feeds')
      .select('nothing' as 'id')
      .execute(),
  )
  expect(isStoreUnavailable(error)).toBe(false)
  expect(store.availability.outage).toBeUndefined()
})
