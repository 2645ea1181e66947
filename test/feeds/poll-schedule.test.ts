import { expect, test } from 'vitest'
import { nextPollAfterFailure, nextPollAfterSuccess, type PollHints } from '../../src/feeds/poll-schedule.ts'
import { day, hour, minute, msBetween, second } from '../../src/time/clock.ts'

const now = '2026-11-27T07:00:00.000Z'

function wait(wishes: Partial<PollHints> = {}): number {
  return msBetween(
    now,
    nextPollAfterSuccess({ feedId: 'feed', gapSeconds: null, maxAgeSeconds: null, ttlSeconds: null, ...wishes }, now),
  )
}

function waitAfter(failures: number, retryAfter: number | null = null): number {
  return msBetween(now, nextPollAfterFailure({ feedId: 'feed', failures, retryAfter }, now))
}

/** Within the tenth by which feeds are spread. */
function about(milliseconds: number, expected: number): void {
  expect(milliseconds).toBeGreaterThanOrEqual(expected)
  expect(milliseconds).toBeLessThanOrEqual(expected * 1.1 + second)
}

test('a feed is asked four times as often as it publishes, from a quarter of an hour to six hours', () => {
  about(wait({ gapSeconds: 4 * 3600 }), hour)
  about(wait({ gapSeconds: 60 }), 15 * minute)
  about(wait({ gapSeconds: 30 * 24 * 3600 }), 6 * hour)
  about(wait(), hour)
})

test('whoever wishes the longest wait is obeyed: Cache-Control, ttl or sy:updatePeriod', () => {
  about(wait({ gapSeconds: 60, maxAgeSeconds: 3 * 3600 }), 3 * hour)
  about(wait({ gapSeconds: 60, maxAgeSeconds: 600, ttlSeconds: 2 * 3600 }), 2 * hour)
  about(wait({ gapSeconds: 8 * 3600, maxAgeSeconds: 600, ttlSeconds: 600 }), 2 * hour)
})

test('a wish of more than a day is obeyed to the full, and one of more than a week for a week', () => {
  for (const days of [1, 3, 7]) {
    const seconds = days * 24 * 3600
    about(wait({ gapSeconds: 60, maxAgeSeconds: seconds }), days * day)
    about(wait({ gapSeconds: 60, ttlSeconds: seconds }), days * day)
    about(waitAfter(1, seconds), days * day)
  }
  const year = 365 * 24 * 3600
  for (const wished of [wait({ maxAgeSeconds: year }), wait({ ttlSeconds: year }), waitAfter(1, year)])
    about(wished, 7 * day)
})

test('nobody is asked after less than 5 minutes, or, where nobody wishes it, forgotten for more than 24 hours', () => {
  expect(waitAfter(50)).toBeLessThanOrEqual(24 * hour)
  expect(waitAfter(50)).toBeGreaterThan(21 * hour)
  for (const wished of [waitAfter(1, 0), waitAfter(0), wait({ gapSeconds: 0, maxAgeSeconds: 0 })])
    expect(wished).toBeGreaterThanOrEqual(5 * minute)
})

test('a feed that fails is asked half as often each time, and not before Retry-After', () => {
  about(waitAfter(1), 5 * minute)
  about(waitAfter(2), 10 * minute)
  about(waitAfter(5), 80 * minute)
  about(waitAfter(1, 7200), 2 * hour)
  about(waitAfter(5, 60), 80 * minute)
})

test('feeds are spread over a tenth of the wait, each always in the same way', () => {
  const waits = Array.from({ length: 200 }, (_, index) => wait({ feedId: `feed ${index}` }))
  expect(Math.max(...waits) - Math.min(...waits)).toBeGreaterThan(5 * minute)
  expect(wait({ feedId: 'feed 7' })).toBe(wait({ feedId: 'feed 7' }))
  for (const one of waits) about(one, hour)
})
