import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { compose } from '../../../src/editions/compose/compose.ts'
import { freezePage, lastFrozenSubscriber } from '../../../src/store/deliveries/audience.ts'
import {
  countChecked,
  countDeliveries,
  inFlightOf,
  recountDeliveries,
  verifyCounts,
} from '../../../src/store/deliveries/counts.ts'
import { type DeliveryResult, recordAndClaim } from '../../../src/store/deliveries/hand-over.ts'
import { confirmRefusals, requeueDeferred, requeueRefused } from '../../../src/store/deliveries/requeue.ts'
import { skipIfGone, skipUnsent } from '../../../src/store/deliveries/skip.ts'
import { leaseSlice } from '../../../src/store/deliveries/slices.ts'
import { markAbandoned, markOrphaned, releaseSlice, repeatUnknown } from '../../../src/store/deliveries/unknown.ts'
import { transaction } from '../../../src/store/drivers/transaction.ts'
import { openStore } from '../../../src/store/open.ts'
import type { Db } from '../../../src/store/schema.ts'
import { endSubscription, renewSubscription } from '../../../src/store/subscribers/subscribers.ts'
import { addWorker } from '../../../src/store/system/workers.ts'
import { addMs } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { acceptedResult, workerOn } from '../../support/ledger.ts'
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

/** What is in flight counts as `sending`. */
async function counted(db: Db, editionId: string) {
  const rows = await db
    .selectFrom('deliveries')
    .select(['subscriberId', 'status'])
    .where('editionId', '=', editionId)
    .execute()
  const inFlight = new Set(await inFlightOf(db, editionId))
  const counts = { queued: 0, sending: 0, accepted: 0, deferred: 0, refused: 0, unknown: 0, skipped: 0 }
  for (const { subscriberId, status } of rows) counts[inFlight.has(subscriberId) ? 'sending' : status] += 1
  return counts
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
  const rowsOf = (on: Db) =>
    on.selectFrom('deliveries').selectAll().where('editionId', '=', editionId).orderBy('subscriberId').execute()
  const some = <T>(list: T[]) => list.filter(() => random(3) === 0)
  const ids = async (on: Db) => some(await rowsOf(on)).map(({ subscriberId }) => subscriberId)
  const resultOf = (subscriberId: string): DeliveryResult => {
    const status = one(['accepted', 'deferred', 'refused', 'unknown', 'queued'] as const)
    const nextAttemptAt = status === 'deferred' ? addMs(now, (random(3) - 1) * 1000) : null
    const reply = `answer ${random(3)}`
    return { subscriberId, status, attempts: 1, nextAttemptAt, cutSince: null, relay: null, reason: null, reply }
  }
  const lease = (on: Db) => leaseSlice(on, engine, { editionId, workerId, after: '' }, now)
  /** A slice that somebody leases: what follows is done by its owner. */
  const leasedSlice = async (on: Db) =>
    one(
      await on
        .selectFrom('slices')
        .selectAll()
        .where('editionId', '=', editionId)
        .where('workerId', 'is not', null)
        .execute(),
    )
  /** Claims what is not in flight, also what is not to be had, and records some of what is. */
  const takeTurn = async (on: Db) => {
    if (!(await leasedSlice(on))) await lease(on)
    const slice = await leasedSlice(on)
    if (!slice) return
    const inFlight = JSON.parse(slice.inFlight) as string[]
    const results = some(inFlight).map(resultOf)
    const free = (await rowsOf(on)).filter(({ subscriberId }) => !inFlight.includes(subscriberId))
    const wanted = some(free.filter(({ subscriberId: id }) => slice.firstId <= id && id <= slice.lastId))
    const ended = results.map(({ subscriberId }) => subscriberId)
    const turn = {
      slice: { ...slice, leaseId: slice.leaseId ?? '' },
      results,
      wanted,
      inFlight: inFlight.filter((id) => !ended.includes(id)),
    }
    await recordAndClaim(on, engine, { ...book, workerId: slice.workerId ?? '' }, [turn], now)
  }
  const refusals = async (on: Db) =>
    (await ids(on)).map((subscriberId) => ({ subscriberId, reply: 'no', attemptsBefore: random(2) }))
  const acts: ((on: Db) => Promise<unknown>)[] = [
    async (on) => {
      const page = { after: await lastFrozenSubscriber(on, editionId), size: 5 + random(30) }
      await freezePage(on, { id: editionId, digest: digest.name }, page, now)
    },
    lease,
    takeTurn,
    takeTurn,
    takeTurn,
    async (on) => {
      const slice = await leasedSlice(on)
      if (slice) await releaseSlice(on, slice, now)
    },
    async (on) => requeueDeferred(on, engine, editionId, await ids(on), now),
    (on) => repeatUnknown(on, editionId, 4, now),
    async (on) => {
      const [subscriberId = ''] = await ids(on)
      if (subscriberId && (await endSubscription(on, digest.name, subscriberId, now))) {
        await skipIfGone(on, engine, { editionId, subscriberId }, now)
        await renewSubscription(on, digest.name, subscriberId, 'test', now)
      }
    },
    async (on) => confirmRefusals(on, engine, book, await refusals(on), now),
    async (on) => requeueRefused(on, engine, book, await refusals(on), now),
    (on) =>
      random(60) === 0
        ? skipUnsent(on, engine, editionId, { code: 'edition-cancelled', reason: null }, now)
        : Promise.resolve(),
  ]
  const act = one(acts)
  if (random(12) === 0) return await markAbandoned(db, workerId, now)
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
    const it = await opened(120)
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

  test('are one row for each edition, and what the owners of slices have changed since they leased them', async () => {
    const it = await opened(120)
    const { db } = it.app
    const id = await frozenEdition(it)
    const [one, other] = await Promise.all([workerOn(it, id, 'one'), workerOn(it, id, 'other')])
    const shared = () => db.selectFrom('deliveryCounts').select(['queued', 'accepted']).execute()
    for (const { due, claim, record } of [one, other])
      for (const { subscriberId } of due) {
        await claim(subscriberId)
        expect(await countDeliveries(db, id)).toMatchObject({ sending: 1 })
        await record({ subscriberId, ...acceptedResult, reply: '250 ok' })
      }
    expect(await shared()).toEqual([{ queued: 120, accepted: 0 }])
    expect(await countDeliveries(db, id)).toEqual(await counted(db, id))
    for (const { writer } of [one, other]) await writer.close()
    expect(await shared()).toEqual([{ queued: 0, accepted: 120 }])
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
    await skipUnsent(db, store.engine, id, { code: 'edition-cancelled', reason: null }, it.clock.now())
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
    'deliveries/hand-over.ts',
    'deliveries/requeue.ts',
    'deliveries/skip.ts',
    'deliveries/unknown.ts',
  ])
})
