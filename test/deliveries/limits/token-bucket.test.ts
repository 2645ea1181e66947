import { expect, test } from 'vitest'
import { TokenBucket } from '../../../src/deliveries/limits/token-bucket.ts'
import { addMs, hour, second } from '../../../src/time/clock.ts'

const now = '2026-11-27T07:00:00.000Z'

/** Empty now, and refilled at a rate after this many milliseconds, with a capacity of one second's tokens. */
function refilled(perSecond: number, afterMs: number): TokenBucket {
  const bucket = new TokenBucket(now)
  bucket.refill(perSecond, Math.max(1, perSecond), addMs(now, afterMs))
  return bucket
}

test('tokens come in with time, at most as many as there is room for', () => {
  expect(new TokenBucket(now).readyAt(0.5)).toBe(addMs(now, 2 * second))
  const half = refilled(0.5, second)
  expect(half.tokens).toBeCloseTo(0.5, 2)
  expect(half.readyAt(0.5)).toBe(addMs(now, 2 * second))
  expect(refilled(8, 30 * second).tokens).toBe(8)
  expect(refilled(0.5, -hour).tokens).toBe(0) // a clock that was set back
})

test('each message takes one token, and one that did not go gives it back', () => {
  const bucket = refilled(2, second)
  expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([true, true, false])
  bucket.giveBack(2)
  expect([bucket.take(), bucket.take()]).toEqual([true, false])
})
