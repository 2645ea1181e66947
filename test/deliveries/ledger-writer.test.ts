import { afterEach, expect, test } from 'vitest'
import { LedgerWriter } from '../../src/deliveries/ledger-writer.ts'
import { type DeliveryResult, dueDeliveries } from '../../src/store/deliveries.ts'
import { markAbandoned } from '../../src/store/unknown.ts'
import { onBothEngines } from '../support/engines.ts'
import { frozenEdition, newsFeed, openWorld, show, subscribe } from '../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('the ledger writer', (freshUrl) => {
  async function frozen(people: number) {
    const it = await openWorld({ storeUrl: await freshUrl() })
    closing.push(it.close)
    await show(it, newsFeed, ['One', 'Two'])
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

  test('claims nothing of an edition that is held', async () => {
    const { it, clerk, ids, editionId } = await frozen(3)
    await it.app.db.updateTable('editions').set({ status: 'held' }).where('id', '=', editionId).execute()
    expect(await Promise.all(ids.map(clerk('me').claim))).toEqual([false, false, false])
  })
})
