import { day, type Instant, msBetween } from '../time/clock.ts'

export type PublishingRate = {
  firstItemAt: Instant | null
  newestItemAt: Instant | null
  /** Seconds; the longest time between two articles. */
  longestSilence: number | null
  /** New articles a week. */
  weekly: number | null
  /** Mean seconds between the last articles, the time since the newest included; null without articles. */
  gapSeconds: number | null
}

export type Arrival = { seenAt: Instant; publishedAt: Instant | null }

/** The stored rate. */
export type KnownRate = { firstItemAt: Instant | null; longestSilence: number | null }

export const maxArrivals = 200
const recentArrivals = 20
/** Articles that are older than the newest by more than this do not count. */
const maxHistoryMs = 365 * day
/** Articles that are needed to tell a pinned old article from a silence. */
const minArrivalsToJudge = 5

/**
 * The publishing rate from the newest `maxArrivals` arrivals and the stored rate. The articles of the first fetch
 * (`firstSeenAt`) count by their own dates, later ones by when they were seen.
 */
export function publishingRate(
  arrivals: Arrival[],
  firstSeenAt: Instant | null,
  known: KnownRate,
  now: Instant,
): PublishingRate {
  const times = countedTimes(arrivals, firstSeenAt)
  const newest = times[0]
  const oldest = times.at(-1)
  if (newest === undefined || oldest === undefined)
    return { ...known, newestItemAt: null, weekly: null, gapSeconds: null }
  const firstItemAt = known.firstItemAt !== null && known.firstItemAt < oldest ? known.firstItemAt : oldest
  const gaps = times.slice(1).map((time, index) => msBetween(time, times[index] ?? time) / 1000)
  const knownSilence = (known.longestSilence ?? 0) * 1000 > maxHistoryMs ? 0 : (known.longestSilence ?? 0)
  const longest = Math.round(Math.max(knownSilence, ...gaps))
  const recent = times.slice(0, recentArrivals)
  return {
    firstItemAt,
    newestItemAt: newest,
    longestSilence: longest > 0 ? longest : null,
    weekly: weeklyRate(times, now),
    gapSeconds: msBetween(recent.at(-1) ?? newest, now) / 1000 / recent.length,
  }
}

/** The times that count, newest first. */
function countedTimes(arrivals: Arrival[], firstSeenAt: Instant | null): Instant[] {
  const { atFirst = [], later = [] } = Object.groupBy(arrivals, ({ seenAt }) =>
    seenAt === firstSeenAt ? 'atFirst' : 'later',
  )
  const times = newestFirst([
    ...later.map(({ seenAt }) => seenAt),
    ...withoutPinned(newestFirst(atFirst.map(arrivalDate))),
  ])
  return times.filter((time) => msBetween(time, times[0] ?? time) <= maxHistoryMs)
}

function newestFirst(times: Instant[]): Instant[] {
  return times.toSorted((a, b) => (a < b ? 1 : -1))
}

function arrivalDate({ seenAt, publishedAt }: Arrival): Instant {
  return publishedAt !== null && publishedAt < seenAt ? publishedAt : seenAt
}

/** Up to the first gap that is longer than the whole time after it. */
function withoutPinned(times: Instant[]): Instant[] {
  const [newest = ''] = times
  const end = times.findIndex((time, index) => {
    const next = times[index - 1] ?? newest
    return index >= minArrivalsToJudge && msBetween(time, next) > msBetween(next, newest)
  })
  return end === -1 ? times : times.slice(0, end)
}

/** Articles a week over four weeks, or less if the feed is younger or has more than `maxArrivals` articles in them. */
function weeklyRate(times: Instant[], now: Instant): number {
  const recent = times.filter((time) => msBetween(time, now) <= 28 * day)
  const oldest = recent.at(-1)
  if (oldest === undefined) return 0
  const isFull = recent.length === maxArrivals
  const isYoung = recent.length === times.length
  const span = isFull
    ? Math.max(1, msBetween(oldest, now))
    : isYoung
      ? Math.max(7 * day, msBetween(oldest, now))
      : 28 * day
  return Math.round((recent.length / (span / (7 * day))) * 10) / 10
}
