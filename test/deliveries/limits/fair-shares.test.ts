import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { FairShares, type Share } from '../../../src/deliveries/limits/fair-shares.ts'
import { second } from '../../../src/time/clock.ts'
import { fakeClock } from '../../support/clock.ts'

/** Time stands, and waiting is a turn of the event loop: nobody seems to be stuck. */
const standing = { ...fakeClock(), wait: () => setImmediate() }

/** Takes and ends in turn, each step a few turns of the event loop long, until all are taken. */
async function work(share: Share, left: { count: number }, turns = 1): Promise<number> {
  let taken = 0
  while (left.count > 0 && (await share.take())) {
    left.count -= 1
    taken += 1
    for (let turn = 0; turn < turns; turn++) await setImmediate()
    share.end()
  }
  return taken
}

test('of takers that are equally quick each gets its share by weight', async () => {
  const shares = new FairShares(standing)
  const left = { count: 400 }
  const [one, three] = await Promise.all([work(shares.join(1, 1), left), work(shares.join(3, 1), left)])
  expect(one + three).toBe(400)
  expect(one).toBeGreaterThan(95)
  expect(one).toBeLessThan(105)
})

test('the quick one waits for the slow one, and both have their share', async () => {
  const shares = new FairShares(standing)
  const left = { count: 200 }
  const [quick, slow] = await Promise.all([work(shares.join(1, 1), left, 1), work(shares.join(1, 1), left, 7)])
  expect(Math.abs(quick - slow)).toBeLessThanOrEqual(3)
})

test('one that is stuck with what it has for five seconds keeps nobody waiting', async () => {
  const clock = fakeClock()
  const shares = new FairShares(clock)
  const stuck = shares.join(1, 1)
  expect(stuck.take()).toBe(true)
  const began = clock.now()
  expect(await work(shares.join(1, 1), { count: 50 })).toBe(50)
  expect(Date.parse(clock.now()) - Date.parse(began)).toBeGreaterThanOrEqual(5 * second)
})

test('one that had nothing to do is owed nothing afterwards', async () => {
  const shares = new FairShares(standing)
  const [early, late] = [shares.join(1, 1), shares.join(1, 1)]
  await work(early, { count: 100 })
  await work(late, { count: 1 })
  const left = { count: 100 }
  const [first, second] = await Promise.all([work(early, left), work(late, left)])
  expect(Math.abs(first - second)).toBeLessThanOrEqual(2)
})

test('whoever waits goes when the signal fires, and has taken nothing', async () => {
  const shares = new FairShares(standing)
  const [busy, other] = [shares.join(1, 1), shares.join(1, 1)]
  const ending = new AbortController()
  expect(busy.take()).toBe(true)
  while (other.take() === true) if (ending.signal.aborted) break
  const waiting = other.take(ending.signal)
  ending.abort()
  expect(await waiting).toBe(false)
})
