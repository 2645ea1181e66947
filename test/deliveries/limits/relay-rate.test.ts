import { afterAll, expect, test } from 'vitest'
import { Admission } from '../../../src/deliveries/limits/admission.ts'
import { RelayRate } from '../../../src/deliveries/limits/relay-rate.ts'
import { openStore, type Store } from '../../../src/store/open.ts'
import type { Db } from '../../../src/store/schema.ts'
import { addMs, day, msBetween, second, type WaitingClock } from '../../../src/time/clock.ts'
import { fakeClock } from '../../support/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'

const start = fakeClock().now()

/** One relay's limit, alone. */
const rateOf = (needs: { db: Db; clock: WaitingClock }, perSecond: number) =>
  new Admission([new RelayRate(needs, 'relay', perSecond)])

onBothEngines('a number of messages a second', (freshUrl) => {
  const stores: Store[] = []
  afterAll(async () => {
    for (const store of stores) await store.close()
  })
  async function freshStore(): Promise<Store> {
    const store = await openStore(await freshUrl(), fakeClock())
    stores.push(store)
    return store
  }

  async function takenIn(perSecond: number, count: number): Promise<number[]> {
    const [{ db }, clock] = [await freshStore(), fakeClock()]
    const rate = rateOf({ db, clock }, perSecond)
    const at: number[] = []
    for (let index = 0; index < count; index++) {
      await rate.reserveInTurn()
      at.push(msBetween(start, clock.now()))
    }
    return at
  }

  test('is not passed from the first second on', async () => {
    const at = await takenIn(10, 41)
    expect(at[40]).toBeGreaterThanOrEqual(4 * second)
    expect(at[40]).toBeLessThan(4.2 * second)
    const many = await takenIn(1000, 3000)
    for (const [index, one] of many.entries())
      expect(many.filter((other) => other >= one && other < one + second).length, `from ${index}`).toBeLessThanOrEqual(
        1100,
      )
  })

  test('may be less than one', async () => {
    expect(await takenIn(0.5, 4)).toEqual([0, 2000, 4000, 6000])
  })

  test('is served to those who wait in turn, none twice', async () => {
    const [{ db }, clock] = [await freshStore(), fakeClock()]
    const rate = rateOf({ db, clock }, 1)
    const order: number[] = []
    await Promise.all([0, 1, 2, 3].map(async (index) => (await rate.reserveInTurn()) === 'ok' && order.push(index)))
    expect(order).toEqual([0, 1, 2, 3])
    expect(msBetween(start, clock.now())).toBe(3 * second)
  })

  test('keeps nobody waiting when the signal fires', async () => {
    const ending = new AbortController()
    const clock: WaitingClock = { ...fakeClock(), wait: async () => ending.abort() }
    const rate = rateOf({ db: (await freshStore()).db, clock }, 1)
    expect(await rate.reserveInTurn(ending.signal)).toBe('ok')
    expect(await rate.reserveInTurn(ending.signal)).toBeUndefined()
  })

  test('is one for all processes that share the store, also when they start at the same moment', async () => {
    const { db } = await freshStore()
    const at: number[] = []
    const sending = [1, 2].map(async () => {
      const clock = fakeClock()
      const rate = rateOf({ db, clock }, 20)
      for (let index = 0; index < 40; index++) {
        await rate.reserveInTurn()
        at.push(msBetween(start, clock.now()))
      }
    })
    await Promise.all(sending)
    for (let from = 0; from <= 3 * second; from += 100)
      expect(at.filter((one) => one >= from && one < from + second).length, `from ${from}`).toBeLessThanOrEqual(20)
    expect(Math.max(...at)).toBeLessThan(4.2 * second)
  })

  test('is left to one process while the other has nothing to send', async () => {
    const { db } = await freshStore()
    const clock = fakeClock()
    const [one, idle] = [rateOf({ db, clock }, 10), rateOf({ db, clock }, 10)]
    await idle.reserveInTurn()
    idle.settle(undefined)
    for (let index = 0; index < 20; index++) await one.reserveInTurn()
    expect(msBetween(start, clock.now())).toBeLessThanOrEqual(2.1 * second)
  })

  test('is not kept back by a clock that was ahead once', async () => {
    const { db } = await freshStore()
    await rateOf({ db, clock: fakeClock(addMs(start, 90 * day)) }, 1).reserveInTurn()
    const clock = fakeClock()
    const rate = rateOf({ db, clock }, 1)
    await rate.reserveInTurn()
    expect(clock.now()).toBe(start)
    clock.set(addMs(start, -day))
    await rate.reserveInTurn()
    expect(msBetween(addMs(start, -day), clock.now())).toBeLessThanOrEqual(second)
  })

  test('that was reserved before the clock was set back may go at once', async () => {
    const { db } = await freshStore()
    const clock = fakeClock()
    const rate = rateOf({ db, clock }, 20)
    await rate.reserveInTurn() // of two
    clock.set(addMs(start, -day))
    await rate.reserveInTurn()
    expect(clock.now()).toBe(addMs(start, -day))
  })
})
