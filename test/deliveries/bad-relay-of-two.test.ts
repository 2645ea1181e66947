import { afterEach, expect, test } from 'vitest'
import { sendEdition } from '../../src/pipeline/sending/send.ts'
import { countDeliveries } from '../../src/store/deliveries/deliveries.ts'
import { editionById } from '../../src/store/editions/editions.ts'
import type { Reason } from '../../src/store/events/reason.ts'
import { toJson } from '../../src/store/json.ts'
import { slowProviderRates } from '../../src/store/limits/provider-rates.ts'
import { hour, minute } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { noticesOf, sendEditionNotices } from '../support/outbox.ts'
import { type Person, type Ready, readyToSend } from '../support/ready.ts'
import { type Fault, type Stage, startRelay, type TestRelay } from '../support/smtp/relay.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

type FaultAt = (stage: Stage, about: { to: string }) => Fault

const spread = (count: number): Person[] =>
  Array.from({ length: count }, (_, index) => ({ email: `reader${index}@domain${index % 7}.example` }))

onBothEngines('of two relays', (freshUrl) => {
  /** The first relay, which may misbehave, and a good one. */
  async function ready(people: Person[], badAt: FaultAt, goodAt?: FaultAt): Promise<Ready & { good: TestRelay }> {
    const good = await startRelay(goodAt)
    closing.push(good.close)
    const it = await readyToSend({
      storeUrl: await freshUrl(),
      closing,
      people,
      relay: { name: 'bad' },
      relays: [{ name: 'good', port: good.port }],
      faultAt: badAt,
    })
    return { ...it, good }
  }
  const suppressed = async ({ it }: Ready) =>
    await it.app.db.selectFrom('subscribers').select('email').where('suppressedAt', 'is not', null).execute()

  test.each<[Stage, string]>([
    ['RCPT', '550 5.1.1 User unknown'],
    ['RCPT', '500 5.3.0 Error: command failed'],
    ['RCPT', '554 5.7.1 Relay access denied'],
    ['dot', '552 5.3.4 message too big'],
    ['RCPT', '450 4.3.0 try later'],
    ['RCPT', '450 4.7.0 too much from you'],
    ['MAIL', '421 4.3.2 shutting down'],
  ])(
    'one that answers everybody at %s with %s is left alone: the other takes all, and the editors are told',
    async (at, reply) => {
      for (const count of [9, 300]) {
        const it = await ready(spread(count), (stage) => (stage === at ? reply : undefined))
        expect(await send(it)).toMatchObject({ finished: true, stopped: null, counts: { accepted: count } })
        expect(new Set(it.good.accepted.map(({ to }) => to)).size).toBe(count)
        expect(it.good.accepted).toHaveLength(count)
        expect(await suppressed(it)).toEqual([])
        const slow = await slowProviderRates(it.it.app.db)
        expect(slow.filter(({ relay }) => relay === 'good')).toEqual([])
        if (count === 9) continue
        const told = { kind: 'relay-failing', relay: 'bad' }
        expect(await noticesOf(it.it.app.db, it.id)).toMatchObject([told])
        expect(await sendEditionNotices(it.it.app, it.sender.relays)).toBe(1)
        const notice = it.good.accepted.at(-1)?.raw.toString().replaceAll('=\r\n', '') ?? ''
        expect(notice).toContain('Subject: The Magazine: a mail server takes no messages')
        expect(notice).toContain('the mail server bad')
      }
    },
  )

  test('one that does not take addresses in other scripts leaves these to the other', async () => {
    const people = spread(80).map(({ email }, index) => ({ email: index % 2 === 0 ? `é${email}` : email }))
    const it = await ready(people, (stage) => (stage === 'EHLO' ? '250-bad\r\n250 PIPELINING' : undefined))
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 80, refused: 0 } })
    expect(it.relay.accepted.length).toBeGreaterThan(0)
    expect(it.good.accepted.length).toBeGreaterThanOrEqual(40)
    expect(await noticesOf(it.it.app.db, it.id)).toEqual([])
  })

  test.each(['down', 'standing by'])(
    'the one that takes such addresses is %s: nobody is refused for want of it',
    async (how) => {
      let isDown = how === 'down'
      const able = await startRelay((stage) => (isDown && stage === 'connect' ? '421 4.3.2 down' : undefined))
      closing.push(able.close)
      const it = await readyToSend({
        storeUrl: await freshUrl(),
        closing,
        people: [...spread(30), { email: 'é@domain1.example' }, { email: 'ö@domain2.example' }],
        relays: [{ name: 'able', port: able.port, standby: how !== 'down' }],
        faultAt: (stage) => (stage === 'EHLO' ? '250-here\r\n250 PIPELINING' : undefined),
      })
      expect((await send(it)).counts).toMatchObject({ refused: 0 })
      isDown = false
      for (let pass = 0; pass < 3 && (await editionById(it.it.app.db, it.id))?.status !== 'sent'; pass++) {
        it.it.clock.advance(hour)
        await send(it)
      }
      expect(await countDeliveries(it.it.app.db, it.id)).toMatchObject({ accepted: 32, refused: 0 })
      expect(able.accepted.map(({ to }) => to)).toEqual(
        expect.arrayContaining(['é@domain1.example', 'ö@domain2.example']),
      )
    },
  )

  test('one that turns to refusing everybody, after it accepted some, costs nobody their copy or their address', async () => {
    let accepted = 0
    const it = await ready(spread(80), (stage) => {
      if (stage === 'dot') accepted += 1
      return stage === 'RCPT' && accepted >= 5 ? '550 5.1.1 User unknown' : undefined
    })
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 80, refused: 0 } })
    expect(await suppressed(it)).toEqual([])
    expect((await noticesOf(it.it.app.db, it.id)).length).toBeLessThanOrEqual(1)
  })

  test('one that takes every message and answers for none is named, and nobody gets more than two copies', async () => {
    const it = await ready(spread(300), (stage) => (stage === 'dot' ? { drop: true } : undefined))
    for (let pass = 0; pass < 6 && (await editionById(it.it.app.db, it.id))?.status !== 'sent'; pass++) {
      await send(it)
      it.it.clock.advance(20 * minute)
    }
    expect(await countDeliveries(it.it.app.db, it.id)).toMatchObject({ accepted: 300 })
    expect(await noticesOf(it.it.app.db, it.id)).toMatchObject([{ kind: 'relay-failing' }])
    const copies = Map.groupBy([...it.relay.received, ...it.good.received], ({ to }) => to)
    expect(Math.max(...[...copies.values()].map(({ length }) => length))).toBe(2)
  })

  test('one that loses its answers now and then is repeated by the other: nobody gets a third copy', async () => {
    let messages = 0
    const it = await ready(spread(120), (stage) =>
      stage === 'dot' && ++messages % 3 !== 0 ? { drop: true } : undefined,
    )
    for (let pass = 0; pass < 6 && (await editionById(it.it.app.db, it.id))?.status !== 'sent'; pass++) {
      await send(it)
      it.it.clock.advance(20 * minute)
    }
    expect(await countDeliveries(it.it.app.db, it.id)).toMatchObject({ accepted: 120 })
    const copies = Map.groupBy([...it.relay.received, ...it.good.received], ({ to }) => to)
    expect(Math.max(...[...copies.values()].map(({ length }) => length))).toBe(2)
    expect(new Set(it.relay.received.map(({ to }) => to)).size).toBe(it.relay.received.length)
  })

  test('neither takes such an address: the person is refused, with the reason, and nobody else is', async () => {
    const ascii: FaultAt = (stage) => (stage === 'EHLO' ? '250-here\r\n250 PIPELINING' : undefined)
    const it = await ready([...spread(20), { email: 'é@domain1.example' }], ascii, ascii)
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 20, refused: 1 } })
    const refused = it.it.app.db.selectFrom('deliveries').select(['reply', 'reason']).where('status', '=', 'refused')
    const reason = toJson<Reason>({ code: 'no-smtputf8', address: 'é@domain1.example' })
    expect(await refused.execute()).toEqual([{ reply: '', reason }])
  })

  test('a person whom both refuse, and who is really unknown, is suppressed; and a relay that accepts others is believed', async () => {
    const unknown: FaultAt = (stage, { to }) =>
      stage === 'RCPT' && to.startsWith('reader7@') ? '550 5.1.1 User unknown' : undefined
    const it = await ready(spread(60), unknown, unknown)
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 59, refused: 1 } })
    expect(await suppressed(it)).toEqual([{ email: 'reader7@domain0.example' }])
    expect(await noticesOf(it.it.app.db, it.id)).toEqual([])
  })

  test('both refuse everybody alike: the edition is paused, and nobody is blamed', async () => {
    const refuse: FaultAt = (stage) => (stage === 'RCPT' ? '550 5.1.1 User unknown' : undefined)
    const it = await ready(spread(49), refuse, refuse)
    expect(await send(it)).toMatchObject({ over: true, counts: { queued: 49, refused: 0 } })
    expect(await suppressed(it)).toEqual([])
  })

  test('one that is slowed by a provider slows the other not', async () => {
    const people = Array.from({ length: 120 }, (_, index) => ({
      email: `reader${index}@${index % 2 === 0 ? 'slow' : 'quick'}.example`,
    }))
    const it = await ready(people, (stage, { to }) =>
      stage === 'RCPT' && to.endsWith('@slow.example') ? '450 4.7.0 too many messages from you' : undefined,
    )
    const began = it.it.clock.now()
    const report = await sendEdition(it.it.app, it.sender, it.id, { unknown: 'repeat', maxSlowWaitMs: minute })
    expect(report.counts.accepted).toBeGreaterThan(100)
    expect(Date.parse(it.it.clock.now()) - Date.parse(began)).toBeLessThan(5 * minute)
    const slow = (await slowProviderRates(it.it.app.db)).map(({ name, relay }) => [name, relay])
    expect(slow).toEqual([['slow.example', 'bad']])
  })
})

function send({ it, id, sender }: Ready) {
  return sendEdition(it.app, sender, id, { unknown: 'repeat', maxSlowWaitMs: hour })
}
