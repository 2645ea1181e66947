import { between, day, type Instant } from '../clock.ts'

/** How a feed has published so far. */
export type Pace = {
  firstItemAt: Instant | null
  newestItemAt: Instant | null
  /** Seconds; the longest time between two articles. */
  longestSilence: number | null
  /** New articles a week. */
  weekly: number | null
  /** Seconds from one article to the next, lately and with the time since the last; null if it never showed any. */
  gap: number | null
}

export type Arrival = { seenAt: Instant; publishedAt: Instant | null }

/** What the store kept of the pace so far. */
export type KnownPace = { firstItemAt: Instant | null; longestSilence: number | null }

/** As many arrivals as one look at the past takes. */
export const window = 200
const lately = 20

/**
 * The pace of a feed from its newest arrivals (at most `window`) and what was known before. What a feed showed at first
 * (`firstSeenAt`) counts by the dates it bears, since its past came all at once; what came later by when it came.
 */
export function paceOf(arrivals: Arrival[], firstSeenAt: Instant | null, known: KnownPace, now: Instant): Pace {
  const times = arrivals.map((arrival) => timeOf(arrival, firstSeenAt)).toSorted((a, b) => (a < b ? 1 : -1))
  const newest = times[0]
  const oldest = times.at(-1)
  if (newest === undefined || oldest === undefined) return { ...known, newestItemAt: null, weekly: null, gap: null }
  const firstItemAt = known.firstItemAt !== null && known.firstItemAt < oldest ? known.firstItemAt : oldest
  const gaps = times.slice(1).map((time, index) => between(time, times[index] ?? time) / 1000)
  const longest = Math.round(Math.max(known.longestSilence ?? 0, ...gaps))
  const recent = times.slice(0, lately)
  return {
    firstItemAt,
    newestItemAt: newest,
    longestSilence: longest > 0 ? longest : null,
    weekly: weeklyRate(times, now),
    gap: between(recent.at(-1) ?? newest, now) / 1000 / recent.length,
  }
}

function timeOf({ seenAt, publishedAt }: Arrival, firstSeenAt: Instant | null): Instant {
  return seenAt === firstSeenAt && publishedAt !== null && publishedAt < seenAt ? publishedAt : seenAt
}

/** Of the last four weeks; of fewer where so many came that they fill the window, or where the feed is younger. */
function weeklyRate(times: Instant[], now: Instant): number {
  const recent = times.filter((time) => between(time, now) <= 28 * day)
  const oldest = recent.at(-1)
  if (oldest === undefined) return 0
  const full = recent.length === window
  const young = recent.length === times.length
  const span = full ? Math.max(1, between(oldest, now)) : young ? Math.max(7 * day, between(oldest, now)) : 28 * day
  return Math.round((recent.length / (span / (7 * day))) * 10) / 10
}
