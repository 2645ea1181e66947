import { setImmediate } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { rulesOf } from '../../../src/deliveries/limits/rules.ts'
import { whyWaiting } from '../../../src/deliveries/limits/why-waiting.ts'
import { describeReason } from '../../../src/describe/describe.ts'
import { pauseByRule } from '../../../src/editions/review/pause.ts'
import { sendEdition } from '../../../src/pipeline/sending/send.ts'
import { openSender } from '../../../src/pipeline/sending/sender.ts'
import { editionById } from '../../../src/store/editions/editions.ts'
import { hour, minute, msBetween, second } from '../../../src/time/clock.ts'
import { fakeClock } from '../../support/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { inWords } from '../../support/history.ts'
import { sendEditionNotices } from '../../support/outbox.ts'
import { peopleAt, type Ready, readyToSend } from '../../support/ready.ts'
import { startRelay, type TestRelay } from '../../support/smtp/relay.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

type Settings = Record<string, unknown>

onBothEngines('several relays', (freshUrl) => {
  /** The first relay and a second one; each may misbehave. */
  async function ready(options: {
    people?: number
    first?: Settings
    second?: Settings | undefined
    faultAt?: Parameters<typeof startRelay>[0]
    secondFaultAt?: Parameters<typeof startRelay>[0]
    clock?: Parameters<typeof readyToSend>[0]['clock']
  }): Promise<Ready & { other: TestRelay }> {
    const other = await startRelay(options.secondFaultAt)
    closing.push(other.close)
    const it = await readyToSend({
      storeUrl: await freshUrl(),
      closing,
      people: peopleAt('readers.example', options.people ?? 60),
      relay: { name: 'first', ...options.first },
      ...(options.second && { relays: [{ name: 'second', port: other.port, ...options.second }] }),
      ...(options.faultAt && { faultAt: options.faultAt }),
      ...(options.clock && { clock: options.clock }),
    })
    return { ...it, other }
  }

  const everybodyOnce = ({ relay, other }: { relay: TestRelay; other: TestRelay }, count: number) => {
    const all = [...relay.accepted, ...other.accepted].map(({ to }) => to)
    expect([all.length, new Set(all).size]).toEqual([count, count])
  }
  const by = async ({ it }: Ready) => {
    const rows = await it.app.db.selectFrom('deliveries').select(['relay', 'status']).execute()
    return Map.groupBy(rows, ({ relay }) => relay)
  }

  test('share the messages by weight, and the ledger says which took what', async () => {
    const standing = { ...fakeClock(), wait: () => setImmediate() }
    const it = await ready({ people: 120, first: { weight: 3 }, second: {}, clock: standing })
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 120 } })
    everybodyOnce(it, 120)
    expect(it.other.accepted.length).toBeGreaterThan(22)
    expect(it.other.accepted.length).toBeLessThan(40)
    const rows = await by(it)
    expect(rows.get('second')).toHaveLength(it.other.accepted.length)
    expect(rows.get('first')).toHaveLength(it.relay.accepted.length)
  })

  test('stand in for each other: one that goes down in the middle stops nothing, and is left alone for a while', async () => {
    let connects = 0
    const it = await ready({
      second: {},
      secondFaultAt: (stage) => {
        if (stage === 'connect') connects += 1
        return it?.other.accepted.length >= 8 ? { drop: true } : undefined
      },
    })
    const report = await send(it)
    expect(report.stopped).toBeNull()
    it.it.clock.advance(20 * minute) // who was cut off is tried again
    expect(await send(it)).toMatchObject({ counts: { accepted: 60, unknown: 0 }, finished: true })
    everybodyOnce(it, 60)
    expect(it.other.accepted.length).toBe(8)
    expect(connects).toBeGreaterThan(3)
  })

  test('of which one cannot be reached hand its messages to the other in the same pass', async () => {
    const it = await ready({ first: { port: 1 }, second: {} })
    expect(await send(it)).toMatchObject({ finished: true, stopped: null, counts: { accepted: 60 } })
    expect(it.other.accepted).toHaveLength(60)
    expect((await by(it)).get('second')).toHaveLength(60)
  })

  test('of which one stands by: it gets something only while the others are down, and not when they are back', async () => {
    let down = false
    const it = await ready({
      second: { standby: true },
      faultAt: (stage) => (down && stage === 'connect' ? '421 down' : undefined),
    })
    await it.it.app.db.updateTable('deliveries').set({ status: 'queued' }).execute()
    expect(await sendSome(it, 20)).toBe(20)
    expect(it.other.accepted).toHaveLength(0)
    down = true
    it.it.clock.advance(minute)
    const again = await reopened(it)
    expect(await sendSome(again, 20)).toBeGreaterThanOrEqual(20)
    expect(it.other.accepted.length).toBeGreaterThan(0)
    const before = it.other.accepted.length
    down = false
    it.it.clock.advance(15 * second)
    expect(await send(again)).toMatchObject({ finished: true, counts: { accepted: 60 } })
    expect(it.other.accepted).toHaveLength(before)
    everybodyOnce(it, 60)
  })

  test('that are all down stop the pass, and the reason names them all', async () => {
    const closed = { port: 1 }
    const it = await ready({ first: closed, second: closed })
    const report = await send(it)
    expect(report.stopped && describeReason(report.stopped)).toMatch(
      /the relay first takes no messages: .*; the relay second takes no messages: /,
    )
    expect(report.counts).toMatchObject({ queued: 60, sending: 0 })
  })

  test('of which one does not answer any more do not hold each other up', async () => {
    const it = await ready({
      second: { timeout: 0.5 },
      secondFaultAt: (stage) => (stage === 'dot' ? { hang: true } : undefined),
    })
    const sending = send(it)
    await it.other.untilReceived(1)
    while (it.relay.accepted.length < 50) await setImmediate()
    const report = await sending
    expect(report.counts.accepted).toBe(it.relay.accepted.length)
    expect(report.counts.unknown).toBe(it.other.received.length)
  })

  test('take no more in a day than they may: the other takes the rest', async () => {
    const it = await ready({ first: { perDay: 25 }, second: {} })
    expect(await send(it)).toMatchObject({ finished: true })
    expect(it.relay.accepted).toHaveLength(25)
    expect(it.other.accepted).toHaveLength(35)
  })

  test('may have taken all of a day: the rest waits for the next, with the reason, also over a restart', async () => {
    const it = await ready({ first: { perDay: 25 }, second: { perDay: 10 } })
    const reason =
      'the relay first has reached its maximum of 25 messages on 2026-11-27; the relay second has reached its maximum'
    const report = await send(it)
    expect(report).toMatchObject({ finished: false, stopped: null, counts: { accepted: 35, queued: 25 } })
    expect(report.wait?.until).toBe('2026-11-28T00:00:00.000Z')
    expect(inWords(report.wait ?? undefined)?.reason).toContain(reason)
    expect((await whyOf(it)).join('; ')).toContain(reason)
    const again = await reopened(it)
    expect(await send(again)).toMatchObject({ counts: { accepted: 35 } })
    it.it.clock.set('2026-11-28T00:00:00.000Z')
    expect(await whyOf(it)).toEqual([])
    expect(await send(again)).toMatchObject({ finished: true, counts: { accepted: 60 } })
    everybodyOnce(it, 60)
  })

  test('count for a day only what was taken', async () => {
    const refused = (to: string) => Number(to.slice(6, 11)) % 2 === 0
    const it = await ready({
      first: { perDay: 31 },
      faultAt: (stage, { to }) => (stage === 'RCPT' && refused(to) ? '550 5.1.1 no such user' : undefined),
    })
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 30, refused: 30 } })
  })

  test('get no more in a second than they may', async () => {
    const clock = fakeClock()
    const at: number[] = []
    const it = await ready({
      people: 50,
      first: { perSecond: 10 },
      clock,
      faultAt: (stage) => {
        if (stage === 'dot') at.push(msBetween('2026-11-27T07:00:00.000Z', clock.now()))
        return undefined
      },
    })
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 50 } })
    for (let until = 1; until <= 4; until++)
      expect(at.filter((one) => one < until * second).length).toBeLessThanOrEqual(10 * until)
    expect(at.at(-1)).toBeGreaterThanOrEqual(4 * second)
  })

  test('share their messages a second among the processes that send, from the first on', async () => {
    const clock = fakeClock()
    const it = await ready({ people: 60, first: { perSecond: 10 }, clock })
    const other = await reopened(it)
    await Promise.all([send(it), send(other)])
    await send(it).catch(() => {}) // whoever ended first may have left the closing to the other
    expect(it.relay.accepted).toHaveLength(60)
    expect(msBetween('2026-11-27T07:00:00.000Z', clock.now())).toBeGreaterThanOrEqual(5.9 * second)
  })

  test('lose none of them to what another process has taken', async () => {
    const clock = fakeClock()
    let isTaken = false
    const it = await ready({
      people: 60,
      first: { perSecond: 10, connections: 1 },
      clock: {
        ...clock,
        async wait(milliseconds) {
          if (!isTaken) {
            isTaken = true
            const rows = it.it.app.db.selectFrom('deliveries').select('subscriberId').where('status', '=', 'queued')
            const half = (await rows.orderBy('subscriberId', 'desc').limit(30).execute()).map((row) => row.subscriberId)
            const taken = it.it.app.db.updateTable('deliveries').set({ status: 'accepted' })
            await taken.where('subscriberId', 'in', half).execute()
          }
          await clock.wait(milliseconds)
        },
      },
    })
    await send(it)
    expect(it.relay.accepted).toHaveLength(30)
    expect(msBetween('2026-11-27T07:00:00.000Z', clock.now())).toBeLessThan(4 * second)
  })

  test('that had taken all of a day are asked again within a minute: another process may have given some back', async () => {
    const it = await ready({ people: 30, first: { perDay: 25 } })
    const taken = (sent: number) => it.it.app.db.updateTable('allowances').set({ sent }).execute()
    await it.it.app.db.insertInto('allowances').values({ name: 'first', day: '2026-11-27', sent: 25 }).execute()
    expect((await send(it)).counts.accepted).toBe(0)
    await taken(5)
    it.it.clock.advance(minute)
    expect(it.sender.relays.blockedReason()).toBeUndefined()
    expect((await send(it)).counts.accepted).toBe(20)
  })

  test('hand a letter to the editors over by one that can be reached', async () => {
    const it = await ready({ first: { port: 1 }, second: {} })
    await it.it.app.db.updateTable('editions').set({ status: 'sending' }).execute()
    await pauseByRule(it.it.app, it.id, { code: 'no-answers', count: 20 })
    expect(await sendEditionNotices(it.it.app, it.sender.relays)).toBe(1)
    expect(it.other.accepted.map(({ to }) => to)).toEqual(['letters@magazine.example'])
  })

  test('that are one alone leave no name in the ledger', async () => {
    const it = await ready({ people: 3, second: undefined })
    await send(it)
    expect([...(await by(it)).keys()]).toEqual([null])
  })

  async function whyOf({ it, id }: Ready): Promise<string[]> {
    const edition = await editionById(it.app.db, id)
    return edition ? (await whyWaiting(it.app, edition, rulesOf(it.app, 'weekly'))).map(describeReason) : []
  }
})

function send({ it, id, sender }: Ready) {
  return sendEdition(it.app, sender, id, { unknown: 'repeat', maxSlowWaitMs: hour })
}

async function reopened<T extends Ready>(ready: T): Promise<T> {
  const sender = await openSender(ready.it.app)
  closing.push(sender.close)
  return { ...ready, sender }
}

/** Sends until so many more are taken, and then a few that are on their way; returns how many those were. */
async function sendSome(ready: Ready & { other: TestRelay }, count: number): Promise<number> {
  const taken = () => ready.relay.accepted.length + ready.other.accepted.length
  const before = taken()
  const controller = new AbortController()
  const watch = async () => {
    while (taken() < before + count && !controller.signal.aborted) await setImmediate()
    controller.abort()
  }
  const { it, id, sender } = ready
  const watching = watch()
  await sendEdition(it.app, sender, id, { unknown: 'repeat', signal: controller.signal })
  controller.abort()
  await watching
  return Math.min(count, taken() - before)
}
