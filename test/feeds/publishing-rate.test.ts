import { expect, test } from 'vitest'
import { type Arrival, maxArrivals, publishingRate } from '../../src/feeds/publishing-rate.ts'
import { addMs, day, hour } from '../../src/time/clock.ts'

const now = '2026-11-27T07:00:00.000Z'
const nothingKnown = { firstItemAt: null, longestSilence: null }
const ago = (milliseconds: number) => addMs(now, -milliseconds)

/** One article at each of these ages, seen as soon as it was published. */
function came(...ages: number[]): Arrival[] {
  return ages.map((age) => ({ seenAt: ago(age), publishedAt: ago(age) }))
}

test('a feed that never showed anything has no pace', () => {
  expect(publishingRate([], null, nothingKnown, now)).toEqual({
    firstItemAt: null,
    newestItemAt: null,
    longestSilence: null,
    weekly: null,
    gapSeconds: null,
  })
})

test('the longest silence is between two articles, and what was longer before is remembered', () => {
  const arrivals = came(day, 2 * day, 9 * day, 10 * day)
  expect(publishingRate(arrivals, null, nothingKnown, now)).toMatchObject({
    firstItemAt: ago(10 * day),
    newestItemAt: ago(day),
    longestSilence: (7 * day) / 1000,
  })
  const known = { firstItemAt: ago(300 * day), longestSilence: (30 * day) / 1000 }
  expect(publishingRate(arrivals, null, known, now)).toMatchObject(known)
})

test('a backlog counts by its dates, and whatever came later by when it came', () => {
  const first = ago(3 * day)
  const backlog = [20, 13, 6].map((days) => ({ seenAt: first, publishedAt: ago(days * day) }))
  const backdated = { seenAt: ago(day), publishedAt: ago(400 * day) }
  const pace = publishingRate([backdated, ...backlog], first, nothingKnown, now)
  expect(pace).toMatchObject({
    firstItemAt: ago(20 * day),
    newestItemAt: ago(day),
    longestSilence: (7 * day) / 1000,
  })
})

test('a date in the future does not make the feed silent or loud', () => {
  const seenAt = ago(hour)
  const pace = publishingRate([{ seenAt, publishedAt: addMs(now, 365 * day) }], seenAt, nothingKnown, now)
  expect(pace.newestItemAt).toBe(seenAt)
})

test('the articles a week are those of four weeks, of a young feed those of its life, of a busy one those of the window', () => {
  const weeklyOf = (arrivals: Arrival[]) => publishingRate(arrivals, null, nothingKnown, now).weekly
  expect(weeklyOf(came(...[1, 8, 15, 22, 29, 36].map((days) => days * day)))).toBe(1)
  expect(weeklyOf(came(day, 2 * day, 3 * day))).toBe(3)
  expect(weeklyOf(came(...Array.from({ length: maxArrivals }, (_, index) => (index + 1) * hour)))).toBe(168)
  expect(weeklyOf(came(60 * day))).toBe(0)
})

test('a silence that grows makes the gap grow', () => {
  const gapOf = (...ages: number[]) => publishingRate(came(...ages), null, nothingKnown, now).gapSeconds ?? 0
  expect(gapOf(hour, 2 * hour, 3 * hour)).toBe(3600)
  expect(gapOf(10 * day, 10 * day + hour)).toBeGreaterThan(4 * 24 * 3600)
})

test('one old piece that stays pinned is no silence, whether it is of years ago or of months', () => {
  const first = ago(20 * day)
  const shown = [0, 1, 3, 4, 6, 7].map((days) => ago((20 + days) * day))
  const later = came(...[1, 4, 7, 10, 13, 16].map((days) => days * day))
  for (const pinned of ['2009-03-01T00:00:00.000Z', ago(200 * day)]) {
    const backlog = [...shown, pinned].map((publishedAt) => ({ seenAt: first, publishedAt }))
    expect(publishingRate([...later, ...backlog], first, nothingKnown, now)).toMatchObject({
      firstItemAt: ago(27 * day),
      longestSilence: (4 * day) / 1000,
    })
    expect(publishingRate(backlog, first, nothingKnown, first).gapSeconds).toBeLessThan((2 * day) / 1000)
  }
})

test('what an earlier look took for a silence of years is forgotten', () => {
  const known = { firstItemAt: ago(300 * day), longestSilence: (17 * 365 * day) / 1000 }
  expect(publishingRate(came(day, 2 * day, 9 * day), null, known, now)).toMatchObject({
    longestSilence: (7 * day) / 1000,
  })
})

test('a feed that has been still for years has the silences that it had before', () => {
  const arrivals = came(900 * day, 910 * day, 960 * day)
  expect(publishingRate(arrivals, null, nothingKnown, now)).toMatchObject({
    newestItemAt: ago(900 * day),
    longestSilence: (50 * day) / 1000,
  })
})
