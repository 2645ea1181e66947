import { day, type Instant, msBetween } from '../time/clock.ts'

/** How a feed has published so far. */
export type PublishingRate = {
  firstItemAt: Instant | null
  newestItemAt: Instant | null
  /** Seconds; the longest time between two articles, of those that count. */
  longestSilence: number | null
  /** New articles a week. */
  weekly: number | null
  /** Seconds from one article to the next, lately and with the time since the last; null if it never showed any. */
  gapSeconds: number | null
}

export type Arrival = { seenAt: Instant; publishedAt: Instant | null }

/** What the store kept of the pace so far. */
export type KnownRate = { firstItemAt: Instant | null; longestSilence: number | null }

/** As many arrivals as one look at the past takes. */
export const maxArrivals = 200
const recentArrivals = 20
/** What is older than this than the newest says nothing of how a feed publishes. */
const maxHistoryMs = 365 * day
/** So many of its newest, and a feed is known well enough to tell an old piece that stays pinned from a silence. */
const minArrivalsToJudge = 5

/**
 * The pace of a feed from its newest arrivals (at most `window`) and what was known before. What a feed showed at first
 * (`firstSeenAt`) counts by the dates it bears, since its past came all at once; what came later by when it came. One old
 * date among the new ones is no silence of years: it does not count.
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

/** When its articles came, the newest first, as far as they tell how it publishes. */
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

/** Up to the first gap that is longer than all before it took. */
function withoutPinned(times: Instant[]): Instant[] {
  const [newest = ''] = times
  const end = times.findIndex((time, index) => {
    const next = times[index - 1] ?? newest
    return index >= minArrivalsToJudge && msBetween(time, next) > msBetween(next, newest)
  })
  return end === -1 ? times : times.slice(0, end)
}

/** Of the last four weeks; of fewer where so many came that they fill the window, or where the feed is younger. */
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
