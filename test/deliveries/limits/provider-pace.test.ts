import { expect, test } from 'vitest'
import {
  afterComplaint,
  afterGood,
  complaintIn,
  minRate,
  type Pace,
  paceAt,
  unlimitedPace,
} from '../../../src/deliveries/limits/provider-pace.ts'
import type { Reason } from '../../../src/store/events/reason.ts'
import { addMs, day, hour, minute, second } from '../../../src/time/clock.ts'

const now = '2026-11-27T07:00:00.000Z'
const reply = (text: string): Reason => ({ code: 'slow-down-reply', reply: text })
const busy = { weight: 3, why: reply('421 4.7.28 unusual rate') }
const slowed = (rate: number): Pace => ({ rate, reason: reply('busy'), irritation: 0, at: now })
const rateOf = (pace: Pace) => pace.rate ?? Number.POSITIVE_INFINITY

test.each([
  ['421 4.7.0 try again later', 'cut', 3],
  ['451 4.7.1 too many messages from you', 'deferred', 1],
  ['450 come back', 'deferred', 1],
  ['452 4.2.2 mailbox full', 'deferred', 0],
  ['450-4.2.1 the user is receiving mail too quickly', 'deferred', 0],
  ['451 4.1.8 no such sender domain now', 'deferred', 0],
  ['451 4.7.1 Greylisted, please try again in 60 seconds', 'deferred', 0],
  ['421 4.7.0 greylisted', 'cut', 0],
  ['421 4.3.2 Service shutting down', 'cut', 0],
  ['452 4.3.1 insufficient system storage', 'deferred', 0],
  ['451 4.7.0 rate limited, try again in 60 seconds', 'deferred', 1],
  ['421 4.7.0 too many messages, try again in 60 seconds', 'cut', 3],
  ['the connection was closed', 'cut', 0],
  ['450 4.3.0 not now', 'cut', 0], // said to MAIL FROM: nobody's provider
  ['550 5.1.1 no such user', 'refused', 0],
  ['250 taken', 'accepted', 0],
] as const)('%s (%s) weighs %i', (reply, kind, weight) => {
  expect(complaintIn({ kind, reply }, 100)?.weight ?? 0).toBe(weight)
})

test('an answer that takes longer than twenty seconds is a complaint, whatever it says', () => {
  expect(complaintIn({ kind: 'accepted', reply: '250 taken' }, 19 * second)).toBeUndefined()
  expect(complaintIn({ kind: 'accepted', reply: '250 taken' }, 25 * second)).toEqual({
    weight: 1,
    why: { code: 'slow-replies', tookMs: 25 * second },
  })
  expect(complaintIn({ kind: 'unsent', reply: 'no connection' }, minute)).toBeUndefined()
})

test('a 421 halves how fast messages went, with the answer as the reason', () => {
  expect(afterComplaint(unlimitedPace(now), busy, 8, now)).toMatchObject({
    rate: 4,
    reason: reply('421 4.7.28 unusual rate'),
  })
  expect(afterComplaint(slowed(4), busy, 8, now)).toMatchObject({ rate: 2 })
})

test('one complaint slows nobody, and neither does one in ten; three in a row do', () => {
  const few = { weight: 1, why: reply('451 4.7.1 not so fast') }
  let pace = unlimitedPace(now)
  for (let message = 0; message < 500; message++)
    pace = message % 11 === 0 ? afterComplaint(pace, few, 100, now) : afterGood(pace)
  expect(pace.rate).toBeNull()
  for (let message = 0; message < 3; message++) pace = afterComplaint(pace, few, 100, now)
  expect(pace.rate).toBe(50)
})

test('nobody is slowed below one message in ten seconds, and nobody begins above fifty a second', () => {
  let pace = unlimitedPace(now)
  for (let time = 0; time < 40; time++) pace = afterComplaint(pace, busy, 3, now)
  expect(pace.rate).toBe(minRate)
  expect(afterComplaint(unlimitedPace(now), busy, 5000, now).rate).toBe(50)
})

test('a limit doubles in ten minutes of sending, in half a day without, and is gone above a hundred a second', () => {
  let pace = slowed(2)
  for (let step = 1; step <= 60; step++) pace = paceAt(pace, addMs(now, step * 10 * second))
  expect(rateOf(pace)).toBeCloseTo(4, 3)
  expect(rateOf(paceAt(slowed(2), addMs(now, 12 * hour)))).toBeCloseTo(4, 3)
  expect(rateOf(paceAt(slowed(2), addMs(now, 2 * hour)))).toBeLessThan(2.3)
  expect(paceAt(slowed(2), addMs(now, 7 * day)).rate).toBeNull()
})
