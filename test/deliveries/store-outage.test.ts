import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import { type Log, silentLog } from '../../src/log.ts'
import { sendEdition } from '../../src/pipeline/sending/send.ts'
import { countDeliveries } from '../../src/store/deliveries/deliveries.ts'
import { StoreError } from '../../src/store/drivers/failure.ts'
import { editionById } from '../../src/store/editions/editions.ts'
import { systemClock } from '../../src/time/clock.ts'
import { webApp } from '../../src/web/server.ts'
import { migratedDatabase, ownServer } from '../support/databases/databases.ts'
import { onBothEngines, sqliteUrl } from '../support/databases/engines.ts'
import { peopleAt, type Ready, readyToSend } from '../support/ready.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const connections = 3
const clock = { ...systemClock, set() {}, advance() {} }

type Trouble = {
  storeUrl: string
  people: number
  at: Record<number, (it: Ready) => Promise<unknown>>
  log?: Log
  relay?: object
}

/** Sends an edition during which something happens to the store when the relay has so many messages. */
async function sendThrough({ storeUrl, people, at, log, relay = {} }: Trouble) {
  let messages = 0
  const troubles: Promise<unknown>[] = []
  const ready = await readyToSend({
    storeUrl,
    closing,
    people: peopleAt('readers.example', people),
    relay: { connections, ...relay },
    faultAt: (stage) => {
      const trouble = stage === 'dot' ? at[++messages] : undefined
      if (trouble) troubles.push(trouble(ready))
      return undefined
    },
    clock,
    ...(log && { log }),
  })
  const report = await sendEdition(ready.it.app, ready.sender, ready.id, { unknown: 'repeat' })
  await Promise.all(troubles)
  expect(troubles).toHaveLength(Object.keys(at).length)
  expect(report).toMatchObject({ finished: true, counts: { accepted: people, sending: 0, unknown: 0 } })
  expect(await editionById(ready.it.app.db, ready.id)).toMatchObject({ status: 'sent' })
  expect(ready.relay.accepted).toHaveLength(people)
  return ready
}

test('PostgreSQL that cuts all connections while an edition goes out costs nobody a copy, and nothing stays in our hands', async () => {
  const { url, remove } = await migratedDatabase()
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  closing.push(remove, () => admin.end())
  const cut = () =>
    admin.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
  await sendThrough({ storeUrl: url, people: 300, at: { 30: cut, 90: cut, 150: cut, 151: cut, 270: cut } })
})

test('PostgreSQL that is away for a while leaves no rejection unheard, also over a relay with a limit a second', async () => {
  const { url, remove } = await migratedDatabase()
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  const unheard: unknown[] = []
  const hear = (reason: unknown) => void unheard.push(reason)
  const before = process.listeners('unhandledRejection')
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', hear)
  closing.push(remove, () => admin.end())
  closing.push(async () => {
    process.removeListener('unhandledRejection', hear)
    for (const listener of before) process.on('unhandledRejection', listener)
  })
  const cutOften = async () => {
    for (let time = 0; time < 150; time++)
      await admin.query(
        'select pg_terminate_backend(pid), pg_sleep(0.005) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      )
  }
  await sendThrough({ storeUrl: url, people: 150, at: { 20: cutOften }, relay: { perSecond: 60 } })
  expect(unheard).toEqual([])
})

test('SQLite that is locked while the thread is busy in pieces, each longer than a relay may take, leaves nothing unknown', async () => {
  const { url: storeUrl, remove } = sqliteUrl()
  closing.push(async () => remove())
  const busy = async () => {
    const other = new DatabaseSync(storeUrl.slice('file:'.length), { timeout: 10_000 })
    other.exec('begin immediate')
    for (let piece = 0; piece < 8; piece++) {
      const end = performance.now() + 350
      while (performance.now() < end);
      await nextTurn()
    }
    other.exec('rollback')
    other.close()
  }
  await sendThrough({ storeUrl, people: 100, at: { 20: busy, 70: busy }, relay: { timeout: 0.3 } })
}, 60_000)

test('PostgreSQL that is restarted, and one that crashes, while an edition goes out cost nobody a copy', async () => {
  const server = await ownServer()
  closing.push(server.remove)
  const storeUrl = `postgres://lastword:lastword@127.0.0.1:${server.port}/postgres`
  const restart = async () => {
    await server.stop()
    await server.start()
  }
  const crash = async () => {
    await server.crash()
    await server.start()
  }
  await sendThrough({ storeUrl, people: 300, at: { 60: restart, 200: crash } })
})

test('another program that locks SQLite, twice, while an edition goes out costs nobody a copy, and pages are answered', async () => {
  const { url, remove } = sqliteUrl()
  closing.push(async () => remove())
  const lock = async ({ it }: Ready) => {
    const other = new DatabaseSync(url.slice('file:'.length), { timeout: 10_000 })
    const pages = webApp(it.app)
    other.exec('begin immediate')
    for (let page = 0; page < 50; page++) expect((await pages.request('/health')).status).toBe(200)
    other.exec('rollback')
    other.close()
  }
  await sendThrough({ storeUrl: url, people: 300, at: { 60: lock, 200: lock } })
})

test('a disk that fills up while an edition goes out costs nobody a copy once there is room again', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'lastword-full-'))
  closing.push(async () => rmSync(folder, { recursive: true }))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', folder], { stdio: 'pipe' })
  } catch (error) {
    return context.skip(`a small disk cannot be mounted here: ${(error as Error).message}`)
  }
  closing.push(async () => execFileSync('umount', [folder]))
  const filler = join(folder, 'filler')
  const reasons: string[] = []
  const makeRoom = (fields: object) => {
    if (!('event' in fields) || fields.event !== 'store.away' || !('reason' in fields)) return
    reasons.push(String(fields.reason))
    rmSync(filler, { force: true })
  }
  const log: Log = { info() {}, error() {}, warn: makeRoom }
  const fillUp = async () => {
    const file = openSync(filler, 'w')
    try {
      for (const piece = Buffer.alloc(4096); ; ) writeSync(file, piece)
    } catch {
      closeSync(file) // no space left
    }
  }
  await sendThrough({ storeUrl: `file:${join(folder, 'lastword.db')}`, people: 300, at: { 50: fillUp }, log })
  expect(reasons[0]).toMatch(/^the disk is full/)
})

onBothEngines('an answer that could not be recorded before we were asked to stop', (freshUrl) => {
  test('is unknown once the store is back, and nothing stays in our hands', async () => {
    const stopping = new AbortController()
    let isAway = false
    const it = await readyToSend({
      storeUrl: await freshUrl(),
      closing,
      people: peopleAt('readers.example', 1),
      faultAt: (stage) => {
        if (stage !== 'dot') return undefined
        isAway = true
        stopping.abort()
      },
    })
    const { app } = it.it
    let timesAway = 0
    const warn = ({ event }: { event?: string }) => {
      if (event === 'store.away' && ++timesAway === 2) isAway = false // the ledger has given up, the pass ends
    }
    const db = new Proxy(app.db, {
      get(target, key) {
        if (key === 'transaction' && isAway) throw new StoreError('unreachable', { server: 'test' }, new Error('gone'))
        const value = Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const away = { ...app, db, log: { ...silentLog, warn } }
    await sendEdition(away, it.sender, it.id, { unknown: 'hold', signal: stopping.signal })
    expect(timesAway).toBe(2)
    expect(await countDeliveries(app.db, it.id)).toMatchObject({ sending: 0, accepted: 0, unknown: 1 })
  })
})
