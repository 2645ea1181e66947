import { expect, test } from 'vitest'
import { between, second } from '../../src/clock.ts'
import { openRate } from '../../src/deliveries/rate.ts'
import { fakeClock } from '../support/clock.ts'

const start = fakeClock().now()

async function takenIn(perSecond: number, count: number): Promise<number[]> {
  const clock = fakeClock()
  const rate = openRate(clock, perSecond)
  const at: number[] = []
  for (let index = 0; index < count; index++) {
    await rate.take()
    at.push(between(start, clock.now()))
  }
  return at
}

test('as many a second go as the rate says, from the first second on', async () => {
  const at = await takenIn(10, 41)
  expect(at[40]).toBeGreaterThanOrEqual(4 * second)
  expect(at[40]).toBeLessThan(4.2 * second)
  const many = await takenIn(1000, 3000)
  for (const [index, one] of many.entries())
    expect(many.filter((other) => other >= one && other < one + second).length, `from ${index}`).toBeLessThanOrEqual(
      1100,
    )
})

test('less than one a second is one in so many seconds', async () => {
  expect(await takenIn(0.5, 4)).toEqual([0, 2000, 4000, 6000])
})

test('several that wait are served in turn, none twice', async () => {
  const clock = fakeClock()
  const rate = openRate(clock, 1)
  const order: number[] = []
  await Promise.all([0, 1, 2, 3].map(async (index) => (await rate.take()) && order.push(index)))
  expect(order).toEqual([0, 1, 2, 3])
  expect(between(start, clock.now())).toBe(3 * second)
})

test('nobody waits any more when the signal fires', async () => {
  const ending = new AbortController()
  const clock = { ...fakeClock(), wait: async () => ending.abort() }
  const rate = openRate(clock, 1)
  expect(rate.take(ending.signal)).toBe(true)
  expect(await rate.take(ending.signal)).toBe(false)
})

test('a rate that changes counts from then on', async () => {
  const clock = fakeClock()
  const rate = openRate(clock, 1)
  await rate.take()
  rate.set(0.25)
  await rate.take()
  expect(between(start, clock.now())).toBe(4 * second)
})
