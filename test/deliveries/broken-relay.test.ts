import { createServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { describeReason } from '../../src/describe/describe.ts'
import { resume } from '../../src/editions/review/pause.ts'
import { sendEdition } from '../../src/pipeline/sending/send.ts'
import { CountChange, writeCounts } from '../../src/store/deliveries/counts.ts'
import { countDeliveries } from '../../src/store/deliveries/deliveries.ts'
import { editionById } from '../../src/store/editions/editions.ts'
import { hour, minute, second } from '../../src/time/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { inWords } from '../support/history.ts'
import { noticesOf } from '../support/outbox.ts'
import { type Person, peopleAt, type Ready, readyToSend } from '../support/ready.ts'
import type { Fault, Stage } from '../support/smtp/relay.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const spread = (count: number): Person[] =>
  Array.from({ length: count }, (_, index) => ({ email: `reader${index}@domain${index % 7}.example` }))

onBothEngines('a relay that refuses everybody alike', (freshUrl) => {
  async function ready(people: Person[], faultAt: (stage: Stage, about: { to: string }) => Fault) {
    return await readyToSend({ storeUrl: await freshUrl(), closing, people, faultAt })
  }
  const suppressed = async ({ it }: Ready) =>
    await it.app.db.selectFrom('subscribers').select('email').where('suppressedAt', 'is not', null).execute()

  const refusals: [Stage, string][] = [
    ['RCPT', '500 5.3.0 Error: command failed'],
    ['DATA', '554 Transaction failed'],
    ['dot', '554 5.3.0 no'],
    ['RCPT', '550 5.1.1 User unknown'],
  ]
  test.each(refusals)('at %s with %s is not believed, however small the list', async (at, reply) => {
    for (const count of [1, 2, 49]) {
      let isBroken = true
      const it = await ready(spread(count), (stage) => (isBroken && stage === at ? reply : undefined))
      const report = await send(it)
      expect(report).toMatchObject({ finished: false, over: true, counts: { queued: count, refused: 0, deferred: 0 } })
      expect(await editionById(it.it.app.db, it.id)).toMatchObject({
        status: 'paused',
        reason: expect.stringContaining(reply),
      })
      expect(await noticesOf(it.it.app.db, it.id)).toMatchObject([{ kind: 'edition-paused' }])
      expect(await suppressed(it)).toEqual([])
      isBroken = false
      await resume(it.it.app, it.id, 'Ada')
      expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: count } })
    }
  })

  test.each([60, 300])(
    'of %d people stops after some fifty, and they have their copies once it is mended',
    async (count) => {
      let isBroken = true
      let refused = 0
      const it = await ready(spread(count), (stage) => {
        if (!isBroken || stage !== 'RCPT') return undefined
        refused += 1
        return '550 5.1.1 User unknown'
      })
      expect((await send(it)).counts).toMatchObject({ queued: count, refused: 0 })
      expect(refused).toBeLessThan(60)
      expect(await suppressed(it)).toEqual([])
      isBroken = false
      await resume(it.it.app, it.id, 'Ada')
      expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: count } })
      expect(new Set(it.relay.accepted.map(({ to }) => to)).size).toBe(count)
    },
  )

  test('is not believed where everybody is at one domain, however that is written', async () => {
    const people = Array.from({ length: 4 }, (_, index) => ({
      email: `reader${index}@Readers.Example`,
    }))
    const it = await ready(people, (stage) => (stage === 'RCPT' ? '550 5.1.1 User unknown' : undefined))
    expect(await send(it)).toMatchObject({ over: true, counts: { queued: 4, refused: 0, deferred: 0 } })
    expect(await editionById(it.it.app.db, it.id)).toMatchObject({ status: 'paused' })
  })

  test('costs nobody a try, and makes nobody wait', async () => {
    const it = await ready(spread(49), (stage) => (stage === 'RCPT' ? '550 5.1.1 User unknown' : undefined))
    expect((await send(it)).counts).toMatchObject({ queued: 49 })
    const rows = await it.it.app.db.selectFrom('deliveries').select(['attempts', 'nextAttemptAt']).execute()
    expect(rows.filter(({ attempts, nextAttemptAt }) => attempts !== 0 || nextAttemptAt !== null)).toEqual([])
  })

  test('in the middle of an edition: those before are refused and suppressed, and those of the row that stopped it are not', async () => {
    let accepted = 0
    const it = await ready(spread(200), (stage, { to }) => {
      if (stage === 'dot') accepted += 1
      if (stage !== 'RCPT') return undefined
      return accepted >= 60 || to.startsWith('reader1@') ? '550 5.1.1 User unknown' : undefined
    })
    const report = await send(it)
    expect(report.stopped && describeReason(report.stopped)).toMatch(/refusals in a row/)
    expect(report.counts.accepted + report.counts.queued + report.counts.refused).toBe(200)
    expect(report.counts.refused).toBeLessThanOrEqual(1)
    expect((await suppressed(it)).map(({ email }) => email)).toEqual(
      report.counts.refused === 1 ? ['reader1@domain1.example'] : [],
    )
  })

  test('for its size is given to nobody, and the editors are told the limit', async () => {
    const it = await ready(spread(30), (stage) =>
      stage === 'EHLO' ? '250-small\r\n250-PIPELINING\r\n250 SIZE 300' : undefined,
    )
    const report = await send(it)
    expect(report).toMatchObject({ over: true, counts: { queued: 30 } })
    expect(report.stopped && describeReason(report.stopped)).toMatch(
      /the message has \d+ bytes, and the relay takes at most 300: cancel the edition/,
    )
    expect(it.relay.commands.filter((line) => line.startsWith('MAIL'))).toEqual([])
    expect(await noticesOf(it.it.app.db, it.id)).toHaveLength(1)
  })

  test('is believed about a person once it has accepted somebody else in the same pass', async () => {
    const it = await ready(spread(20), (stage, { to }) =>
      stage === 'RCPT' && to.startsWith('reader7@') ? '550 5.1.1 User unknown' : undefined,
    )
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 19, refused: 1 } })
    expect(await suppressed(it)).toEqual([{ email: 'reader7@domain0.example' }])
  })

  test('and was put off before, alone at its next try, is refused, not suppressed, and stops nothing', async () => {
    let tries = 0
    const it = await ready(spread(20), (stage, { to }) => {
      if (stage !== 'RCPT' || !to.startsWith('reader7@')) return undefined
      tries += 1
      return tries === 1 ? '451 4.2.0 mailbox busy' : '550 5.1.1 User unknown'
    })
    expect((await send(it)).counts).toMatchObject({ accepted: 19, deferred: 1 })
    it.it.clock.advance(20 * minute)
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 19, refused: 1 } })
    expect(await suppressed(it)).toEqual([])
  })

  test('when they are tried again, after it put everybody off, is not believed either', async () => {
    for (const count of [5, 40, 300]) {
      let reply = '451 4.3.0 try later'
      const it = await ready(spread(count), (stage) => (stage === 'RCPT' ? reply : undefined))
      await send(it)
      reply = '550 5.1.1 User unknown'
      it.it.clock.advance(20 * minute)
      expect(await send(it)).toMatchObject({ over: true, counts: { queued: count, refused: 0 } })
      expect(await noticesOf(it.it.app.db, it.id)).toHaveLength(1)
    }
  })

  test('and is stopped in the middle of it costs nobody their copy at the next start', async () => {
    const controller = new AbortController()
    let refused = 0
    const it = await ready(spread(40), (stage) => {
      if (stage !== 'RCPT') return undefined
      refused += 1
      if (refused === 38) controller.abort()
      return '550 5.1.1 User unknown'
    })
    await sendEdition(it.it.app, it.sender, it.id, { unknown: 'repeat', signal: controller.signal })
    it.it.clock.advance(20 * minute)
    const report = await send(it)
    expect(report).toMatchObject({ over: true, counts: { queued: 40, refused: 0 } })
    expect(await suppressed(it)).toEqual([])
  })

  test('after it has accepted some, to the end, pauses the edition, and suppresses nobody of that row', async () => {
    let accepted = 0
    const it = await ready(spread(65), (stage) => {
      if (stage === 'dot') accepted += 1
      return stage === 'RCPT' && accepted >= 20 ? '550 5.1.1 User unknown' : undefined
    })
    const { over, stopped } = await send(it)
    expect([over, stopped && describeReason(stopped)]).toEqual([
      true,
      expect.stringMatching(/the last \d+ people were all/),
    ])
    const { accepted: taken, queued } = await countDeliveries(it.it.app.db, it.id)
    expect(taken + queued).toBe(65)
    expect(await suppressed(it)).toEqual([])
  })

  test('with one acceptance now and then is believed about nobody', async () => {
    let messages = 0
    const it = await ready(spread(205), (stage) =>
      stage === 'RCPT' && ++messages % 41 !== 0 ? '550 5.1.1 User unknown' : undefined,
    )
    expect(await send(it)).toMatchObject({ over: true, counts: { refused: 0 } })
    expect(await suppressed(it)).toEqual([])
  })

  test('whose reply drips, a byte now and then, is given up in time, and its connection closed', async () => {
    let isDripping = true
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.write('220 slow\r\n')
      socket.on('data', (chunk) => {
        if (!isDripping || chunk.toString().startsWith('EHLO')) return void socket.write('250 ok\r\n')
        const timer = setInterval(() => socket.write('2'), 50)
        socket.on('close', () => clearInterval(timer))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => new Promise((resolve) => server.close(resolve)))
    const { port } = server.address() as { port: number }
    const it = await readyToSend({
      storeUrl: await freshUrl(),
      closing,
      people: spread(2),
      relay: { port, timeout: 0.3, connections: 1 },
    })
    const report = await send(it)
    isDripping = false
    expect(report.counts).toMatchObject({ deferred: 2, sending: 0 })
  })

  test('stops nothing if another process has a copy accepted during the pass', async () => {
    let answer = ['MAIL', '421 4.3.2 Service shutting down']
    const it = await ready(spread(5), (stage) => (stage === answer[0] ? answer[1] : undefined))
    const { app, clock } = it.it
    expect((await send(it)).counts).toMatchObject({ deferred: 5 })
    clock.advance(hour)
    const { subscriberId } = await app.db.selectFrom('deliveries').select('subscriberId').executeTakeFirstOrThrow()
    await app.db
      .updateTable('deliveries')
      .set({ status: 'accepted', workerId: 'another', nextAttemptAt: null, updatedAt: clock.now() })
      .where('subscriberId', '=', subscriberId)
      .execute()
    answer = ['dot', '550 5.1.1 User unknown']
    it.relay.holdAnswersFrom(1)
    const sending = send(it)
    await it.relay.untilReceived(1)
    const change = new CountChange()
    change.move('deferred', 'accepted', 1)
    await writeCounts(app.db, it.id, change)
    it.relay.answerAll()
    expect(await sending).toMatchObject({ over: false, counts: { accepted: 1, deferred: 4 } })
    expect(await noticesOf(app.db, it.id)).toEqual([])
    expect(await suppressed(it)).toEqual([])
  })

  test('and takes every message without ever answering is sent no more than some twenty', async () => {
    const it = await ready(spread(30), (stage) => (stage === 'dot' ? { drop: true } : undefined))
    for (let pass = 0; pass < 20 && (await editionById(it.it.app.db, it.id))?.status !== 'paused'; pass++) {
      await send(it)
      it.it.clock.advance(hour)
    }
    expect(inWords(await editionById(it.it.app.db, it.id))).toMatchObject({
      status: 'paused',
      reason: expect.stringMatching(/messages in a row were cut off before the relay's answer/),
    })
    expect(it.relay.received.length).toBeLessThan(35)
    expect(await noticesOf(it.it.app.db, it.id)).toHaveLength(1)
  })

  test('and loses an answer now and then is no reason to stop', async () => {
    let messages = 0
    const it = await ready(spread(60), (stage) =>
      stage === 'dot' && ++messages % 3 === 0 ? { drop: true } : undefined,
    )
    for (let pass = 0; pass < 12 && (await editionById(it.it.app.db, it.id))?.status !== 'sent'; pass++) {
      await send(it)
      it.it.clock.advance(4 * hour)
    }
    expect(await editionById(it.it.app.db, it.id)).toMatchObject({ status: 'sent' })
  })

  test('at one provider stops nobody else: not at the retries, not after resume, not the next hour', async () => {
    const blocked = peopleAt('blocked.example', 200).map((one) => ({ ...one, zone: 'Europe/London' }))
    const others = spread(40).map((one) => ({ ...one, zone: 'Europe/London' }))
    const later = spread(30).map(({ email }) => ({ email: `ny-${email}`, zone: 'America/New_York' }))
    const it = await readyToSend({
      storeUrl: await freshUrl(),
      closing,
      people: [...blocked, ...others, ...later],
      job: { localTime: 'true' },
      faultAt: (stage, { to }) =>
        stage === 'RCPT' && to.endsWith('@blocked.example') ? '550 5.7.1 blocked by policy' : undefined,
    })
    for (let pass = 0; pass < 20; pass++) {
      expect((await send(it)).over).toBe(false)
      it.it.clock.advance(20 * minute)
    }
    expect((await countDeliveries(it.it.app.db, it.id)).accepted).toBe(70)
    expect(await noticesOf(it.it.app.db, it.id)).toEqual([])
  })
})

onBothEngines('a relay whose connections break', (freshUrl) => {
  test('on the fifth day of an edition puts off those whom it cut, and refuses nobody', async () => {
    let cuts = 0
    const it = await readyToSend({
      storeUrl: await freshUrl(),
      closing,
      people: spread(60),
      pace: { warmUp: { from: '2026-11-27', days: [10, 10, 10, 10, 10, 10] } },
      faultAt: (stage) => (stage === 'MAIL' && cuts > 0 && cuts-- > 0 ? '421 4.3.2 Service shutting down' : undefined),
    })
    for (let day = 0; day < 5; day++) {
      await send(it)
      it.it.clock.advance(24 * hour)
    }
    cuts = 3
    const report = await send(it)
    expect(report.counts).toMatchObject({ refused: 0 })
    const cut = await it.it.app.db
      .selectFrom('deliveries')
      .select(['attempts', 'cutSince'])
      .where('status', '=', 'deferred')
      .execute()
    for (const one of cut) expect(one).toEqual({ attempts: 0, cutSince: expect.stringMatching(/^2026-12-02/) })
    for (let pass = 0; pass < 3 && (await editionById(it.it.app.db, it.id))?.status !== 'sent'; pass++) {
      it.it.clock.advance(12 * hour)
      await send(it)
    }
    expect(await countDeliveries(it.it.app.db, it.id)).toMatchObject({ accepted: 60 })
  })
})

function send({ it, id, sender }: Ready) {
  return sendEdition(it.app, sender, id, { unknown: 'repeat', maxSlowWaitMs: 30 * second })
}
