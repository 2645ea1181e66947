import type { Kysely, Transaction } from 'kysely'
import { afterEach, expect, test } from 'vitest'
import { stopAllSending } from '../../src/deliveries/sending-stop.ts'
import { cancel } from '../../src/editions/review/cancel.ts'
import { pause } from '../../src/editions/review/pause.ts'
import { inFlightOf } from '../../src/store/deliveries/counts.ts'
import { countDeliveries } from '../../src/store/deliveries/deliveries.ts'
import { markAbandoned } from '../../src/store/deliveries/unknown.ts'
import { StoreError } from '../../src/store/drivers/failure.ts'
import type { Schema } from '../../src/store/schema.ts'
import { leave } from '../../src/subscribers/leave.ts'
import { suppress } from '../../src/subscribers/suppress.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { acceptedResult, workerOn } from '../support/ledger.ts'
import { frozenEdition, newsFeed, openWorld, publishTitles, subscribe, type World } from '../support/world.ts'

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
    const worker = (workerId: string) => workerOn(it, editionId, workerId)
    const stored = () => it.app.db.selectFrom('deliveries').selectAll().orderBy('subscriberId').execute()
    /** As people see them: what is in flight is `sending`. */
    const rows = async () => {
      const inFlight = await inFlightOf(it.app.db, editionId)
      return (await stored()).map((row) => (inFlight.includes(row.subscriberId) ? { ...row, status: 'sending' } : row))
    }
    return { it, editionId, worker, rows, ids: (await stored()).map((one) => one.subscriberId) }
  }

  test('writes each answer to its own row, also when many with different answers are committed together', async () => {
    const { worker, rows, ids } = await frozen(6)
    const { claim, record } = await worker('me')
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
            reason: null,
            reply: `450 ${index}`,
          }
        : { subscriberId, ...acceptedResult, reply: `250 ${index}` },
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
    const { worker, ids } = await frozen(120)
    const [one, other] = await Promise.all([worker('one'), worker('other')])
    const claims = await Promise.all(ids.map((id) => Promise.all([one.claim(id), other.claim(id), one.claim(id)])))
    for (const claimed of claims) expect(claimed.filter((isOurs) => isOurs)).toHaveLength(1)
    expect(await one.claim(ids[0] ?? '')).toBe(false)
    expect(one.due.length + other.due.length).toBe(120)
  })

  test('records nothing over what somebody took for abandoned, and says so to whoever asked, and to nobody else', async () => {
    const { it, worker, rows, ids } = await frozen(2)
    const dead = await worker('dead')
    await dead.claim(ids[0] ?? '')
    await markAbandoned(it.app.db, 'dead', it.clock.now())
    const alive = await worker('alive')
    await alive.claim(ids[1] ?? '')
    const late = dead.record({ subscriberId: ids[0] ?? '', ...acceptedResult, reply: '250 late' })
    await expect(late).rejects.toThrow('took over this delivery, as if we were dead; the relay said 250 late')
    await alive.record({ subscriberId: ids[1] ?? '', ...acceptedResult, reply: '250 ok' })
    expect((await rows()).map(({ status }) => status)).toEqual(['unknown', 'accepted'])
  })

  test('records how one ended and takes the next in one commit: never two are in the same hands', async () => {
    const { it, worker, rows, ids } = await frozen(4)
    const { turn } = await worker('me')
    const handsAtCommit: number[] = []
    await turn(undefined, ids[0])
    for (const [index, subscriberId] of ids.entries()) {
      handsAtCommit.push((await rows()).filter(({ status }) => status === 'sending').length)
      await turn({ subscriberId, ...acceptedResult, reply: '250 ok' }, ids[index + 1])
    }
    expect(handsAtCommit).toEqual([1, 1, 1, 1])
    expect((await rows()).map(({ status }) => status)).toEqual(['accepted', 'accepted', 'accepted', 'accepted'])
    await it.app.db.updateTable('deliveries').set({ status: 'queued' }).execute()
    expect(
      await turn({ subscriberId: ids[0] ?? '', ...acceptedResult, reply: '250 ok' }, ids[1]).catch(String),
    ).toContain('took over this delivery')
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
      const options = { onStoreAway: (reason: string) => toldAway.push(reason) }
      const db = faulty(it.app.db, [...plan, ...plan])
      const { writer, turn, claim } = await workerOn(it, editionId, 'me', { db, clock, options })
      const [a, b, c, d] = ids as [string, string, string, string]
      expect(await Promise.all([a, b].map(claim))).toEqual([true, true])
      const result = (subscriberId: string) => ({ subscriberId, ...acceptedResult, reply: '250 ok' })
      const next = [turn(result(a), c), turn(result(b), d)]
      expect(await Promise.all(next)).toEqual([true, true])
      expect(waits).toBeGreaterThan(0)
      expect(toldAway.length).toBeGreaterThan(0)
      const attempts = (await rows()).map(({ status, attempts }) => [status, attempts])
      const [sending, queued] = [
        ['sending', 0],
        ['queued', 0],
      ]
      expect(await countDeliveries(it.app.db, editionId)).toMatchObject({ accepted: 2, sending: 2, queued: 2 })
      expect(attempts).toEqual([['accepted', 1], ['accepted', 1], sending, sending, queued, queued])
      expect(await writer.close()).toBe(2)
      expect((await rows()).slice(2, 4).map(({ status }) => status)).toEqual(['unknown', 'unknown'])
    },
  )

  test('does not hand out a second time what a connection of ours has in hand, also after an outage', async () => {
    const { it, ids, editionId } = await frozen(2)
    const plan: ('before' | 'after')[] = []
    const { claim } = await workerOn(it, editionId, 'me', { db: faulty(it.app.db, plan) })
    expect(await claim(ids[0] ?? '')).toBe(true)
    plan.push('before')
    expect(await Promise.all([claim(ids[0] ?? ''), claim(ids[1] ?? '')])).toEqual([false, true])
  })

  test('makes a refusal final only for those whom nobody has tried again since', async () => {
    const { it, rows, ids, editionId } = await frozen(3)
    const first = await workerOn(it, editionId, 'me')
    const reply = '550 5.1.1 User unknown'
    for (const subscriberId of ids) {
      await first.claim(subscriberId)
      const putOff = {
        status: 'deferred',
        attempts: 1,
        nextAttemptAt: it.clock.now(),
        cutSince: null,
        reason: null,
      } as const
      await first.record({ subscriberId, ...putOff, relay: null, reply })
    }
    await first.writer.close()
    const [, claimed = '', taken = ''] = ids
    const { claim, record } = await workerOn(it, editionId, 'another')
    for (const again of [claimed, taken]) expect(await claim(again)).toBe(true)
    await record({ subscriberId: taken, ...acceptedResult, reply: '250 ok' })
    const refusals = ids.map((subscriberId) => ({ subscriberId, reply, attemptsBefore: 0 }))
    await first.writer.confirm(refusals, { suppress: true })
    expect((await rows()).map(({ status }) => status)).toEqual(['refused', 'sending', 'accepted'])
    const suppressed = it.app.db.selectFrom('subscribers').select('id').where('suppressedAt', 'is not', null)
    expect(await suppressed.execute()).toEqual([{ id: ids[0] }])
  })

  test('gives up on a store that stays away once we are asked to stop', async () => {
    const { it, ids, editionId } = await frozen(1)
    const controller = new AbortController()
    controller.abort()
    const options = { signal: controller.signal }
    const db = faulty(it.app.db, Array(50).fill('before'))
    const { claim } = await workerOn(it, editionId, 'me', { db, options })
    await expect(claim(ids[0] ?? '')).rejects.toThrow('cannot be reached')
  })

  test('stores an answer without its words where these cannot be stored, and the others with theirs', async () => {
    const { it, rows, ids, editionId } = await frozen(3)
    const { claim, record } = await workerOn(it, editionId, 'me')
    await Promise.all(ids.map(claim))
    const bad = { toString: () => '250 ok' } as unknown as string // no driver takes this for a text
    const results = ids.map((subscriberId, index) => ({
      subscriberId,
      ...acceptedResult,
      reply: index === 1 ? bad : '250 ok',
    }))
    await Promise.all(results.map(record))
    const stored = (await rows()).map(({ status, reply }) => [status, reply])
    expect(stored[0]).toEqual(['accepted', '250 ok'])
    expect(stored[2]).toEqual(['accepted', '250 ok'])
    expect(stored[1]?.[0]).toBe('accepted')
  })

  test('claims nothing of an edition that is paused', async () => {
    const { it, worker, ids, editionId } = await frozen(3)
    await it.app.db.updateTable('editions').set({ status: 'paused' }).where('id', '=', editionId).execute()
    expect(await Promise.all(ids.map((await worker('me')).claim))).toEqual([false, false, false])
  })

  const between: Record<string, (it: World, editionId: string, subscriberId: string) => Promise<unknown>> = {
    'the person leaves': ({ app }, editionId, subscriberId) =>
      leave(app, { subscriberId, digest: 'weekly', editionId, how: 'test' }),
    'the person is suppressed': ({ app, clock }, editionId, subscriberId) =>
      suppress(app.db, { subscriberId, editionId, reason: { code: 'text', text: 'a complaint' } }, clock.now()),
    'the edition is paused': ({ app }, editionId) => pause(app, editionId, 'Ada', 'a wrong name in it'),
    'the edition is cancelled': ({ app }, editionId) => cancel(app, editionId, 'Ada', 'old news'),
    'all sending is stopped': ({ app }) => stopAllSending(app, { who: 'Ada', reason: 'the wrong list' }),
  }
  test.each(Object.keys(between))('hands the next one over no more when between two commits %s', async (what) => {
    const { it, worker, rows, ids, editionId } = await frozen(2)
    const { claim, turn } = await worker('me')
    const [first = '', second = ''] = ids
    expect(await claim(first)).toBe(true)
    await between[what]?.(it, editionId, second)
    expect(await turn({ subscriberId: first, ...acceptedResult, reply: '250 ok' }, second)).toBe(false)
    const [one, other] = await rows()
    expect([one?.status, one?.reply]).toEqual(['accepted', '250 ok'])
    expect(other?.status).toBe(what === 'the edition is cancelled' ? 'skipped' : 'queued')
    const { sending, accepted: taken, queued, skipped } = await countDeliveries(it.app.db, editionId)
    expect([sending, taken, queued + skipped]).toEqual([0, 1, 1])
  })
})
