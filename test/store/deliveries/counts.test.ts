import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { compose } from '../../../src/editions/compose.ts'
import { freezePage } from '../../../src/store/deliveries/audience.ts'
import { countChecked, countDeliveries, recountDeliveries, verifyCounts } from '../../../src/store/deliveries/counts.ts'
import {
  claimDeliveries,
  confirmRefusals,
  type DeliveryResult,
  recordAndClaim,
  recordDeliveries,
  requeueDeferred,
  requeueRefused,
  skipIfGone,
  skipUnsent,
} from '../../../src/store/deliveries/deliveries.ts'
import { markAbandoned, markOrphaned, markOwnAbandoned, repeatUnknown } from '../../../src/store/deliveries/unknown.ts'
import { transaction } from '../../../src/store/drivers/transaction.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Db } from '../../../src/store/schema.ts'
import { endSubscription, renewSubscription } from '../../../src/store/subscribers/subscribers.ts'
import { addWorker, removeWorker } from '../../../src/store/system/workers.ts'
import { addMs } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { frozenEdition, newsFeed, openWorld, publishTitles, subscribe, type World } from '../../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** The same numbers each time: a run that fails can be repeated. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

async function counted(db: Db, editionId: string) {
  const rows = await db
    .selectFrom('deliveries')
    .select(['status', (eb) => eb.fn.countAll<number>().as('count')])
    .where('editionId', '=', editionId)
    .groupBy('status')
    .execute()
  const none = { queued: 0, sending: 0, accepted: 0, deferred: 0, refused: 0, unknown: 0, skipped: 0 }
  return { ...none, ...Object.fromEntries(rows.map(({ status, count }) => [status, Number(count)])) }
}

const workers = ['worker-a', 'worker-b', 'worker-c']

class Killed extends Error {}

/** One random thing that can happen to deliveries, by the hand of one writer. */
async function happen({ app, digest, clock }: World, db: Db, editions: string[], random: (below: number) => number) {
  const { engine } = app.store
  const now = clock.now()
  const one = <T>(list: readonly T[]) => list[random(list.length)] as T
  const editionId = one(editions)
  const workerId = one(workers)
  const book = { editionId, digest: digest.name, workerId }
  const some = async (on: Db, mine = false) => {
    let query = on.selectFrom('deliveries').select(['subscriberId', 'attempts']).where('editionId', '=', editionId)
    if (mine) query = query.where('workerId', '=', workerId).where('status', '=', 'sending')
    const rows = await query.orderBy('subscriberId').execute()
    return rows.filter(() => random(3) === 0)
  }
  const ids = async (on: Db) => (await some(on)).map(({ subscriberId }) => subscriberId)
  const results = async (on: Db): Promise<DeliveryResult[]> =>
    (await some(on, random(4) > 0)).map(({ subscriberId, attempts }) => {
      const status = one(['accepted', 'deferred', 'refused', 'unknown'] as const)
      const nextAttemptAt = status === 'deferred' ? addMs(now, (random(3) - 1) * 1000) : null
      return {
        subscriberId,
        status,
        attempts,
        nextAttemptAt,
        cutSince: null,
        relay: null,
        reply: `answer ${random(3)}`,
      }
    })
  const refusals = async (on: Db) =>
    (await some(on)).map(({ subscriberId }) => ({ subscriberId, reply: 'no', attemptsBefore: random(2) }))
  const acts: ((on: Db) => Promise<unknown>)[] = [
    (on) => freezePage(on, { id: editionId, digest: digest.name }, { after: '', size: 5 + random(30) }, now),
    async (on) => claimDeliveries(on, engine, { ...book, subscriberIds: await ids(on) }, now),
    async (on) => recordDeliveries(on, engine, book, await results(on), now),
    async (on) => recordAndClaim(on, engine, book, { results: await results(on), subscriberIds: await ids(on) }, now),
    async (on) => requeueDeferred(on, editionId, await ids(on), now),
    (on) => repeatUnknown(on, editionId, 4, now),
    async (on) => {
      const [subscriberId = ''] = await ids(on)
      if (subscriberId && (await endSubscription(on, digest.name, subscriberId, now))) {
        await skipIfGone(on, { editionId, subscriberId }, now)
        await renewSubscription(on, digest.name, subscriberId, 'test', now)
      }
    },
    (on) => markAbandoned(on, workerId, now),
    (on) => markOwnAbandoned(on, book, now),
    async (on) => confirmRefusals(on, book, await refusals(on), now),
    async (on) => requeueRefused(on, book, await refusals(on), now),
    (on) => (random(6) === 0 ? skipUnsent(on, editionId, 'cancelled', now) : Promise.resolve()),
  ]
  const act = one(acts)
  if (random(8) === 0) return await markOrphaned(db, now) // it is never inside another transaction
  if (random(8) === 0) return await recountDeliveries(db, engine, editionId)
  const isKilled = random(6) === 0
  await transaction(db, async (trx) => {
    await act(trx)
    if (isKilled) throw new Killed()
  }).catch((error: unknown) => {
    if (!(error instanceof Killed)) throw error
  })
}

onBothEngines('the counters of deliveries', (freshUrl) => {
  async function opened(people: number): Promise<World> {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    await publishTitles(it, newsFeed, ['One', 'Two', 'Three'])
    await subscribe(it, people)
    return it
  }

  test('are what a count finds, whatever two writers did, in whatever order, and wherever they were killed', async () => {
    const it = await opened(40)
    const { db } = it.app
    const editions: string[] = []
    for (const days of [0, 7]) {
      const edition = await compose(
        it.app,
        { ...it.digest, thin: { ...it.digest.thin, minimum: 0 } },
        addMs(it.clock.now(), days * 86_400_000),
      )
      editions.push(edition?.id ?? '')
    }
    await db.updateTable('editions').set({ status: 'sending' }).execute()
    await addWorker(db, { id: 'worker-a', host: '', pid: 1, startedAt: '', seenAt: '', command: null }) // the others are unknown
    const another = it.app.store.engine.rowLocks ? await openStore(it.app.config.store.url, it.clock) : it.app.store
    if (another !== it.app.store) closing.push(another.close) // a second connection to SQLite in one thread locks itself out
    let differences = 0
    for (let round = 0; round < 60; round++) {
      const [one, other] = [randomFrom(round), randomFrom(round + 10_000)]
      const writer = async (on: Db, random: typeof one) => {
        for (let step = 0; step < 4; step++) await happen(it, on, editions, random)
      }
      await Promise.all([writer(db, one), writer(another.db, other)])
      for (const id of editions) {
        const counts = await countDeliveries(db, id)
        expect(counts, `round ${round}`).toEqual(await counted(db, id))
        if (counts.accepted + counts.deferred > 0) differences += 1
      }
      it.clock.advance(500)
    }
    expect(differences).toBeGreaterThan(20) // or else nothing happened
  })

  test('have a row for each sender that lives, and one for all that are gone', async () => {
    const it = await opened(6)
    const { db, store } = it.app
    const id = await frozenEdition(it)
    const ids = (await db.selectFrom('deliveries').select('subscriberId').execute()).map((row) => row.subscriberId)
    for (const [index, subscriberId] of ids.entries()) {
      const workerId = `worker-${index}`
      await addWorker(db, { id: workerId, host: '', pid: 1, startedAt: '', seenAt: '', command: null })
      const book = { editionId: id, digest: it.digest.name, workerId }
      await recordAndClaim(db, store.engine, book, { results: [], subscriberIds: [subscriberId] }, it.clock.now())
    }
    const rows = () => db.selectFrom('deliveryCounts').selectAll().execute()
    expect(await rows()).toHaveLength(7)
    for (const index of ids.keys()) if (index > 0) await removeWorker(db, `worker-${index}`)
    await Promise.all([markOrphaned(db, it.clock.now()), markOrphaned(db, it.clock.now())]) // two processes may
    expect((await rows()).map(({ writer }) => writer).sort()).toEqual(['shared', 'worker-0'])
    expect(await countDeliveries(db, id)).toEqual(await counted(db, id))
  })

  test('that are wrong are set right before they decide that an edition ends, or that it never does', async () => {
    const it = await opened(3)
    const { db, store } = it.app
    const id = await frozenEdition(it)
    const disturb = (queued: number, accepted: number) =>
      db.updateTable('deliveryCounts').set({ queued, accepted }).where('editionId', '=', id).execute()
    await disturb(0, 3)
    expect(await countChecked(db, store.engine, id)).toMatchObject({ queued: 3, accepted: 0 })
    await skipUnsent(db, id, 'test', it.clock.now())
    await disturb(1, 0)
    expect(await countChecked(db, store.engine, id)).toMatchObject({ queued: 0, skipped: 3 })
    await disturb(0, 0)
    expect(await verifyCounts(db, store.engine, id)).toBeUndefined()
    await disturb(0, 2)
    expect(await verifyCounts(db, store.engine, id)).toMatchObject({ accepted: 2 })
    expect(await countDeliveries(db, id)).toMatchObject({ skipped: 3, accepted: 0 })
  })

  test('are made by the migration from the deliveries there are', async () => {
    const url = await freshUrl()
    const it = await openWorld({ storeUrl: url })
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await subscribe(it, 5)
    const id = await frozenEdition(it)
    const [first] = await it.app.db.selectFrom('deliveries').select('subscriberId').limit(1).execute()
    await it.app.db
      .updateTable('deliveries')
      .set({ status: 'accepted' })
      .where('subscriberId', '=', first?.subscriberId ?? '')
      .execute()
    await sql`drop table delivery_counts`.execute(it.app.db)
    for (const index of ['next_attempt', 'first_of', 'canary'])
      await sql`drop index ${sql.ref(`deliveries_${index}`)}`.execute(it.app.db)
    await sql`delete from migrations where name = '0014-delivery-counts'`.execute(it.app.db)
    await it.close()
    const again = await openWorld({ storeUrl: url })
    closing.push(again.close)
    expect(await countDeliveries(again.app.db, id)).toMatchObject({ queued: 4, accepted: 1, sending: 0 })
  })
})

test('all that writes to deliveries stands in the files that keep the counters', () => {
  const folder = 'src/store'
  const writing = (readdirSync(folder, { recursive: true }) as string[])
    .filter((file) => file.endsWith('.ts'))
    .filter((file) =>
      /(?:insertInto|updateTable|deleteFrom)\('deliveries'\)/.test(readFileSync(join(folder, file), 'utf8')),
    )
  const timesAlone = ['digests/clock-faults.ts'] // changes no status
  expect(writing.filter((file) => !timesAlone.includes(file)).sort()).toEqual([
    'deliveries/audience.ts',
    'deliveries/deliveries.ts',
    'deliveries/unknown.ts',
  ])
})
