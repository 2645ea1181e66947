import type { Kysely, Transaction } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { LedgerWriter } from '../../src/deliveries/ledger-writer.ts'
import { type DeliveryResult, dueDeliveries } from '../../src/store/deliveries/deliveries.ts'
import { markAbandoned } from '../../src/store/deliveries/unknown.ts'
import { StoreError } from '../../src/store/drivers/failure.ts'
import type { Schema } from '../../src/store/schema.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { frozenEdition, newsFeed, openWorld, publishTitles, subscribe } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('the ledger writer', (freshUrl) => {
  async function frozen(people: number) {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    await publishTitles(it, newsFeed, ['One', 'Two'])
    await subscribe(it, people)
    const editionId = await frozenEdition(it)
    const due = await dueDeliveries(it.app.db, editionId, { after: '', limit: people, now: it.clock.now() })
    const needs = { ...it.app, engine: it.app.store.engine }
    const clerk = (workerId: string) => {
      const writer = new LedgerWriter(needs, { editionId, digest: 'weekly', workerId })
      const turn = (ended: DeliveryResult | undefined, next: string | undefined) => writer.recordAndClaim(ended, next)
      const record = (result: DeliveryResult) => turn(result, undefined)
      return { turn, record, claim: (id: string) => turn(undefined, id) }
    }
    const rows = () => it.app.db.selectFrom('deliveries').selectAll().orderBy('subscriberId').execute()
    return { it, editionId, clerk, rows, ids: due.map((one) => one.subscriberId) }
  }

  const accepted = { status: 'accepted', attempts: 1, nextAttemptAt: null, cutSince: null, relay: null } as const

  test('writes each answer to its own row, also when many with different answers are committed together', async () => {
    const { clerk, rows, ids } = await frozen(6)
    const { claim, record } = clerk('me')
    expect(await Promise.all(ids.map(claim))).toEqual([true, true, true, true, true, true])
    const results = ids.map((subscriberId, index) =>
      index % 3 === 2
        ? {
            subscriberId,
            status: 'deferred' as const,
            attempts: 1,
            nextAttemptAt: '2026-11-27T08:00:00.000Z',
            cutSince: null,
            relay: 'second.example',
            reply: `450 ${index}`,
          }
        : { subscriberId, ...accepted, reply: `250 ${index}` },
    )
    await Promise.all(results.map(record))
    const wanted = results.map(({ reply, status, nextAttemptAt, relay }) => ({
      reply,
      status,
      nextAttemptAt,
      relay,
      workerId: 'me',
    }))
    expect(await rows()).toMatchObject(wanted)
  })

  test('gives a delivery to one of two who ask at once, and never twice', async () => {
    const { clerk, ids } = await frozen(20)
    const [one, other] = [clerk('one'), clerk('other')]
    const claims = await Promise.all(ids.map((id) => Promise.all([one.claim(id), other.claim(id), one.claim(id)])))
    for (const claimed of claims) expect(claimed.filter((isOurs) => isOurs)).toHaveLength(1)
    expect(await one.claim(ids[0] ?? '')).toBe(false)
  })

  test('records nothing over what somebody took for abandoned, and says so to whoever asked, and to nobody else', async () => {
    const { it, clerk, rows, ids } = await frozen(2)
    const [dead, alive] = [clerk('dead'), clerk('alive')]
    await Promise.all([dead.claim(ids[0] ?? ''), alive.claim(ids[1] ?? '')])
    await markAbandoned(it.app.db, 'dead', it.clock.now())
    const late = dead.record({ subscriberId: ids[0] ?? '', ...accepted, reply: '250 late' })
    await expect(late).rejects.toThrow('took over this delivery, as if we were dead; the relay said 250 late')
    await alive.record({ subscriberId: ids[1] ?? '', ...accepted, reply: '250 ok' })
    expect((await rows()).map(({ status }) => status)).toEqual(['unknown', 'accepted'])
  })

  test('records how one ended and takes the next in one commit: never two are in the same hands', async () => {
    const { it, clerk, rows, ids } = await frozen(4)
    const { turn } = clerk('me')
    const handsAtCommit: number[] = []
    await turn(undefined, ids[0])
    for (const [index, subscriberId] of ids.entries()) {
      handsAtCommit.push((await rows()).filter(({ status }) => status === 'sending').length)
      await turn({ subscriberId, ...accepted, reply: '250 ok' }, ids[index + 1])
    }
    expect(handsAtCommit).toEqual([1, 1, 1, 1])
    expect((await rows()).map(({ status }) => status)).toEqual(['accepted', 'accepted', 'accepted', 'accepted'])
    await it.app.db.updateTable('deliveries').set({ status: 'queued' }).execute()
    expect(await turn({ subscriberId: ids[0] ?? '', ...accepted, reply: '250 ok' }, ids[1]).catch(String)).toContain(
      'took over this delivery',
    )
  })

  /** A store that goes away: before a commit is made, or after it is made and before we hear of it. */
  function faulty(db: Kysely<Schema>, plan: ('before' | 'after')[]): Kysely<Schema> {
    const away = () => new StoreError('unreachable', { server: 'test' }, new Error('gone'))
    const execute = async (work: (trx: Transaction<Schema>) => Promise<unknown>) => {
      const fault = plan.shift()
      if (fault === 'before') throw away()
      const done = await db.transaction().execute(work)
      if (fault === 'after') throw away()
      return done
    }
    return new Proxy(db, {
      get(target, key) {
        if (key === 'transaction') return () => ({ execute })
        const value = Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  test.each([[['before']], [['after']], [['before', 'after', 'before', 'after', 'after']]] as const)(
    'keeps answers while the store is away (%s), and hands out what it claimed once',
    async (plan) => {
      const { it, rows, ids, editionId } = await frozen(6)
      let waits = 0
      const wait = async (milliseconds: number) => {
        waits += milliseconds
      }
      const clock = { ...it.clock, wait }
      const toldAway: string[] = []
      const needs = { ...it.app, engine: it.app.store.engine, clock, db: faulty(it.app.db, [...plan, ...plan]) }
      const ledger = { editionId, digest: 'weekly', workerId: 'me' }
      const writer = new LedgerWriter(needs, ledger, { onStoreAway: (reason) => toldAway.push(reason) })
      const [a, b, c, d] = ids as [string, string, string, string]
      expect(await Promise.all([a, b].map((id) => writer.recordAndClaim(undefined, id)))).toEqual([true, true])
      const result = (subscriberId: string) => ({ subscriberId, ...accepted, reply: '250 ok' })
      const next = [writer.recordAndClaim(result(a), c), writer.recordAndClaim(result(b), d)]
      expect(await Promise.all(next)).toEqual([true, true])
      expect(waits).toBeGreaterThan(0)
      expect(toldAway.length).toBeGreaterThan(0)
      const attempts = (await rows()).map(({ status, attempts }) => [status, attempts])
      const [sending, queued] = [
        ['sending', 1],
        ['queued', 0],
      ]
      expect(attempts).toEqual([['accepted', 1], ['accepted', 1], sending, sending, queued, queued])
      expect(await writer.close()).toBe(2)
      expect((await rows()).slice(2, 4).map(({ status }) => status)).toEqual(['unknown', 'unknown'])
    },
  )

  test('does not hand out a second time what a connection of ours has in hand, also after an outage', async () => {
    const { it, ids, editionId } = await frozen(2)
    const plan: ('before' | 'after')[] = []
    const needs = { ...it.app, engine: it.app.store.engine, db: faulty(it.app.db, plan) }
    const writer = new LedgerWriter(needs, { editionId, digest: 'weekly', workerId: 'me' })
    expect(await writer.recordAndClaim(undefined, ids[0])).toBe(true)
    plan.push('before')
    expect(await writer.recordAndClaim(undefined, ids[0])).toBe(false)
  })

  test('makes a refusal final only for those whom nobody has tried again since', async () => {
    const { it, rows, ids, editionId } = await frozen(3)
    const needs = { ...it.app, engine: it.app.store.engine }
    const writer = new LedgerWriter(needs, { editionId, digest: 'weekly', workerId: 'me' })
    const reply = '550 5.1.1 User unknown'
    for (const subscriberId of ids) {
      await writer.recordAndClaim(undefined, subscriberId)
      const putOff = { status: 'deferred', attempts: 1, nextAttemptAt: it.clock.now(), cutSince: null } as const
      await writer.recordAndClaim({ subscriberId, ...putOff, relay: null, reply }, undefined)
    }
    const [, claimed = '', taken = ''] = ids
    for (const again of [claimed, taken]) expect(await writer.recordAndClaim(undefined, again)).toBe(true)
    await writer.recordAndClaim({ subscriberId: taken, ...accepted, reply: '250 ok' }, undefined)
    const refusals = ids.map((subscriberId) => ({ subscriberId, reply, attemptsBefore: 0 }))
    await writer.confirm(refusals, { suppress: true })
    expect((await rows()).map(({ status }) => status)).toEqual(['refused', 'sending', 'accepted'])
    const suppressed = it.app.db.selectFrom('subscribers').select('id').where('suppressedAt', 'is not', null)
    expect(await suppressed.execute()).toEqual([{ id: ids[0] }])
  })

  test('gives up on a store that stays away once we are asked to stop', async () => {
    const { it, ids, editionId } = await frozen(1)
    const controller = new AbortController()
    controller.abort()
    const needs = { ...it.app, engine: it.app.store.engine, db: faulty(it.app.db, Array(50).fill('before')) }
    const ledger = { editionId, digest: 'weekly', workerId: 'me' }
    const writer = new LedgerWriter(needs, ledger, { signal: controller.signal })
    await expect(writer.recordAndClaim(undefined, ids[0])).rejects.toThrow('cannot be reached')
  })

  test('stores an answer without its words where these cannot be stored, and the others with theirs', async () => {
    const { it, rows, ids, editionId } = await frozen(3)
    const writer = new LedgerWriter(
      { ...it.app, engine: it.app.store.engine },
      { editionId, digest: 'weekly', workerId: 'me' },
    )
    await Promise.all(ids.map((id) => writer.recordAndClaim(undefined, id)))
    const bad = { toString: () => '250 ok' } as unknown as string // no driver takes this for a text
    const results = ids.map((subscriberId, index) => ({
      subscriberId,
      ...accepted,
      reply: index === 1 ? bad : '250 ok',
    }))
    await Promise.all(results.map((result) => writer.recordAndClaim(result, undefined)))
    const stored = (await rows()).map(({ status, reply }) => [status, reply])
    expect(stored[0]).toEqual(['accepted', '250 ok'])
    expect(stored[2]).toEqual(['accepted', '250 ok'])
    expect(stored[1]?.[0]).toBe('accepted')
  })

  test('claims nothing of an edition that is paused', async () => {
    const { it, clerk, ids, editionId } = await frozen(3)
    await it.app.db.updateTable('editions').set({ status: 'paused' }).where('id', '=', editionId).execute()
    expect(await Promise.all(ids.map(clerk('me').claim))).toEqual([false, false, false])
  })
})
