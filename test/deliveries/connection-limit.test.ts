import { afterEach, describe, expect, test } from 'vitest'
import { ConnectionSlots, type Customer, type Slot } from '../../src/deliveries/relays/connection-slots.ts'
import { describeReason } from '../../src/describe/describe.ts'
import { sendEdition } from '../../src/pipeline/sending/send.ts'
import { minute, second } from '../../src/time/clock.ts'
import { fakeClock } from '../support/clock.ts'
import { sqliteUrl } from '../support/databases/engines.ts'
import { peopleAt, type Ready, readyToSend } from '../support/ready.ts'
import type { Fault, Stage } from '../support/smtp/relay.ts'

const closing: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

type Limited = { limit: number; at: Stage; fault: Fault; connections?: number; messagesPerConnection?: number }

/** A relay that serves so many connections at a time, and turns others away at that stage. */
async function limited({ limit, at, fault, connections = 5, messagesPerConnection = 100 }: Limited, people: number) {
  const open = new Set<number>()
  const turnedAway = new Set<number>()
  const { url, remove } = sqliteUrl()
  const warnings: object[] = []
  const messages: string[] = []
  const it = await readyToSend({
    storeUrl: url,
    closing,
    people: peopleAt('readers.example', people),
    relay: { connections, messagesPerConnection },
    faultAt: (stage, { connection }) => {
      if (stage === 'connect') {
        if (open.size >= limit) turnedAway.add(connection)
        else open.add(connection)
      }
      return stage === at && turnedAway.has(connection) ? fault : undefined
    },
    onClose: (connection) => open.delete(connection),
    log: {
      info() {},
      error() {},
      warn: (fields, message) => {
        warnings.push(fields)
        messages.push(message)
      },
    },
  })
  closing.unshift(async () => remove())
  return { ...it, turnedAway, warnings, messages }
}

const send = ({ it, id, sender }: Ready) =>
  sendEdition(it.app, sender, id, { unknown: 'repeat', maxSlowWaitMs: second })

describe('a relay that serves fewer connections than we open', () => {
  test.each<[string, Stage, Fault]>([
    ['with 421 in the greeting', 'connect', '421 4.7.0 too many connections'],
    ['by a reset', 'connect', { drop: true }],
    ['with 421 at EHLO', 'EHLO', '421 4.3.2 too many sessions'],
    ['with 421 at MAIL', 'MAIL', '421 4.7.0 Too many open sessions'],
    ['with 432 at MAIL', 'MAIL', '432 4.3.2 Concurrent connections limit exceeded'],
    ['with 451 at RCPT', 'RCPT', '451 4.3.2 too many connections from your host'],
  ])('and turns further ones away %s gets everything in one pass, over those that work', async (_, at, fault) => {
    for (const limit of [1, 2, 3]) {
      const it = await limited({ limit, at, fault }, 300)
      expect(await send(it)).toMatchObject({ finished: true, stopped: null, counts: { accepted: 300 } })
      expect(it.relay.accepted).toHaveLength(300)
      expect(it.turnedAway.size).toBeLessThanOrEqual(5)
      expect(it.warnings).toEqual([{ event: 'relay.connection_limit', relay: '127.0.0.1', limit }])
      expect(it.messages).toEqual([expect.stringContaining("divide the relay's limit by the number of processes")])
    }
  })

  test('loses none of its connections when these are renewed', async () => {
    const fault = '421 4.7.0 too many connections'
    const it = await limited({ limit: 2, at: 'connect', fault, messagesPerConnection: 7 }, 400)
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 400 } })
    expect(it.turnedAway.size).toBeLessThanOrEqual(10)
  })

  test('turns away no more than twenty a minute, however many we may open', async () => {
    const fault = '421 4.7.0 too many connections'
    const it = await limited({ limit: 33, at: 'connect', fault, connections: 100 }, 2000)
    expect(await send(it)).toMatchObject({ finished: true, counts: { accepted: 2000 } })
    expect(it.turnedAway.size).toBeLessThanOrEqual(20)
  })

  test('and turns the first one away is down', async () => {
    const it = await limited({ limit: 0, at: 'connect', fault: '421 4.7.0 too many connections' }, 30)
    const report = await send(it)
    expect(report.stopped && describeReason(report.stopped)).toContain('the relay takes no messages')
    expect(report.counts).toMatchObject({ queued: 30, accepted: 0 })
    expect(it.warnings).toEqual([])
  })
})

describe('the slots of connections', () => {
  function open(configured: number) {
    const clock = fakeClock()
    const limits: number[] = []
    const slots = new ConnectionSlots(clock, configured, (limit) => limits.push(limit))
    const taken: Slot[] = []
    const customer: Customer = { held: 0, isWaiting: false, start: (slot) => void taken.push(slot) }
    return { clock, limits, slots, taken, customer }
  }

  /** All that are open are served, until no more are opened. */
  function serveAll(slots: ConnectionSlots, taken: Slot[]): void {
    for (let index = 0; index < taken.length; index++) slots.served(taken[index] as Slot)
  }

  test('are opened one after another: one, then two, then four', () => {
    const { slots, taken, customer } = open(10)
    slots.join(customer)
    expect(taken).toHaveLength(1)
    slots.served(taken[0] as Slot)
    expect(taken).toHaveLength(2)
    slots.served(taken[1] as Slot)
    expect(taken).toHaveLength(4)
    serveAll(slots, taken)
    expect(taken).toHaveLength(10)
  })

  test('are tried again after a minute, and the limit goes up by those that are served', () => {
    const { clock, slots, taken, customer } = open(4)
    slots.join(customer)
    slots.served(taken[0] as Slot)
    slots.refused(taken[1] as Slot, { wasServed: false })
    slots.release(customer, taken[1] as Slot)
    slots.served(taken[0] as Slot)
    expect([slots.limit, taken.length]).toEqual([1, 2])
    clock.advance(minute - second)
    slots.served(taken[0] as Slot)
    expect(taken).toHaveLength(2)
    clock.advance(second)
    slots.served(taken[0] as Slot)
    expect(taken).toHaveLength(3)
    slots.served(taken[2] as Slot)
    expect(slots.limit).toBe(2)
  })

  test('are opened no more in a minute in which fifteen were turned away', () => {
    const { clock, slots, taken, customer } = open(10)
    slots.join(customer)
    slots.served(taken[0] as Slot)
    let refused = 0
    for (let at = 0; at < 59; at++) {
      if (taken.length > refused + 1) {
        refused += 1
        slots.refused(taken[refused] as Slot, { wasServed: true })
        slots.release(customer, taken[refused] as Slot)
      }
      clock.advance(second)
      slots.served(taken[0] as Slot)
    }
    expect(refused).toBe(15)
    clock.advance(minute)
    slots.served(taken[0] as Slot)
    expect(taken).toHaveLength(17)
  })

  test('are tried again at once when the clock was set back by more than a probe waits', () => {
    const { clock, slots, taken, customer } = open(4)
    slots.join(customer)
    slots.served(taken[0] as Slot)
    for (let time = 0; time < 20; time++) slots.refused({ ...(taken[1] as Slot), isProbe: true }, { wasServed: false })
    slots.refused(taken[1] as Slot, { wasServed: false })
    slots.release(customer, taken[1] as Slot)
    slots.served(taken[0] as Slot)
    expect(taken).toHaveLength(2)
    clock.set('2026-10-27T07:00:00.000Z')
    slots.served(taken[0] as Slot)
    expect(taken).toHaveLength(3)
  })

  test('are no limit when nobody is served any more: then the relay is down', () => {
    const { limits, slots, taken, customer } = open(4)
    slots.join(customer)
    slots.served(taken[0] as Slot)
    slots.refused(taken[1] as Slot, { wasServed: false })
    slots.release(customer, taken[1] as Slot)
    slots.leave(customer)
    slots.release(customer, taken[0] as Slot)
    expect([slots.limit, limits]).toEqual([4, []])
  })

  test('that are one alone go round: who has none gets it after a quarter of a second', () => {
    const { clock, slots, taken, customer } = open(1)
    slots.join(customer)
    slots.served(taken[0] as Slot)
    const others: Slot[] = []
    const other: Customer = { held: 0, isWaiting: false, start: (slot) => void others.push(slot) }
    slots.join(other)
    expect([slots.isMissedByAnEdition, slots.isWantedByOthers(customer, taken[0] as Slot)]).toEqual([true, false])
    clock.advance(250)
    expect(slots.isWantedByOthers(customer, taken[0] as Slot)).toBe(true)
    slots.release(customer, taken[0] as Slot)
    expect([others.length, taken.length]).toEqual([1, 1])
  })

  test('are shared evenly by editions', () => {
    const { slots, taken, customer } = open(4)
    slots.join(customer)
    serveAll(slots, taken)
    const others: Slot[] = []
    const other: Customer = { held: 0, isWaiting: false, start: (slot) => void others.push(slot) }
    slots.join(other)
    expect(slots.isWantedByOthers(customer, taken[0] as Slot)).toBe(true)
    slots.release(customer, taken[0] as Slot)
    expect(slots.isWantedByOthers(customer, taken[1] as Slot)).toBe(true)
    slots.served(others[0] as Slot)
    slots.release(customer, taken[1] as Slot)
    expect([customer.held, other.held]).toEqual([2, 2])
    expect(slots.isWantedByOthers(customer, taken[2] as Slot)).toBe(false)
  })
})
