import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Admission } from '../../../src/deliveries/limits/admission.ts'
import type { Limit, Reservation, Wait } from '../../../src/deliveries/limits/limit.ts'
import type { SendResult } from '../../../src/mail/smtp/result.ts'

const closed: Wait = { until: '2026-11-28T07:00:00.000Z', reason: { code: 'nothing-due' } }
const accepted: SendResult = { kind: 'accepted', reply: '250 taken' }

/** Messages that a limit hands out, and what it is told of them; with `inStore` it is refilled once. */
class Counted implements Limit {
  left: number
  readonly settled: (SendResult | undefined)[] = []
  #inStore: number

  constructor(left: number, inStore = 0) {
    this.left = left
    this.#inStore = inStore
  }

  reserve(): Reservation {
    if (this.left === 0) return this.#inStore > 0 ? 'refill' : closed
    this.left -= 1
    return 'ok'
  }

  async refill(): Promise<void> {
    this.left = this.#inStore
    this.#inStore = 0
  }

  settle(result: SendResult | undefined): void {
    this.settled.push(result)
    if (!result) this.left += 1
  }
}

test('a message is reserved under every limit or under none', () => {
  const [first, second] = [new Counted(5), new Counted(0)]
  const admission = new Admission([first, second, new Counted(5)])
  expect(admission.reserve()).toBe(closed)
  expect([first.left, first.settled]).toEqual([5, [undefined]])
  second.left = 1
  expect(admission.reserve()).toBe('ok')
  expect([first.left, second.left]).toEqual([4, 0])
})

test('each limit is told what became of the message', () => {
  const limits = [new Counted(1), new Counted(1)]
  const admission = new Admission(limits)
  admission.reserve()
  admission.settle(accepted)
  expect(limits.map(({ settled }) => settled)).toEqual([[accepted], [accepted]])
})

test('a limit that has nothing left is refilled, and those who wait go in the order in which they came', async () => {
  const [full, empty] = [new Counted(9), new Counted(0, 3)]
  const admission = new Admission([full, empty])
  expect(admission.reserve()).toBe('refill')
  const order: number[] = []
  const waiting = [0, 1, 2, 3].map(async (number) => (await admission.reserveInTurn()) === 'ok' && order.push(number))
  await Promise.all(waiting)
  expect([order, full.left, empty.left]).toEqual([[0, 1, 2], 6, 0])
})

test('what is given back goes to the one that waits, and not to one that comes later', async () => {
  const limit = new Counted(1, 1)
  const asked = Promise.withResolvers<void>()
  const refilled = Promise.withResolvers<void>()
  limit.refill = () => {
    asked.resolve()
    return refilled.promise.then(() => setImmediate())
  }
  const admission = new Admission([limit])
  admission.reserve()
  const order: string[] = []
  const ask = async (who: string) => (await admission.reserveInTurn()) === 'ok' && order.push(who)
  const first = ask('first')
  await asked.promise
  admission.settle(undefined)
  const second = ask('second')
  refilled.resolve()
  await first
  admission.settle(undefined)
  await second
  expect(order).toEqual(['first', 'second'])
})

test('asking why nothing may go reserves nothing', async () => {
  const limit = new Counted(0, 1)
  const admission = new Admission([limit])
  expect(await admission.blockedReason()).toBeUndefined()
  expect(limit.left).toBe(1)
  admission.reserve()
  expect(await admission.blockedReason()).toBe(closed)
})

test('a reservation that waits ends with the signal, and one that fails keeps no other from its turn', async () => {
  const limit = new Counted(0, 1)
  const refill = limit.refill.bind(limit)
  limit.refill = () => {
    limit.refill = refill
    return Promise.reject(new Error('the store is away'))
  }
  const admission = new Admission([limit])
  const failing = admission.reserveInTurn()
  const aborted = admission.reserveInTurn(AbortSignal.abort())
  const next = admission.reserveInTurn()
  await expect(failing).rejects.toThrow('the store is away')
  expect(await aborted).toBeUndefined()
  expect(await next).toBe('ok')
})
