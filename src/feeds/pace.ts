import { between, day, type Instant } from '../clock.ts'

/** How a feed has published so far. */
export type Pace = {
  firstItemAt: Instant | null
  newestItemAt: Instant | null
  /** Seconds; the longest time between two articles, of those that count. */
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
/** What is older than this than the newest says nothing of how a feed publishes. */
const memory = 365 * day
/** So many of its newest, and a feed is known well enough to tell an old piece that stays pinned from a silence. */
const telling = 5

/**
 * The pace of a feed from its newest arrivals (at most `window`) and what was known before. What a feed showed at first
 * (`firstSeenAt`) counts by the dates it bears, since its past came all at once; what came later by when it came. One old
 * date among the new ones is no silence of years: it does not count.
 */
export function paceOf(arrivals: Arrival[], firstSeenAt: Instant | null, known: KnownPace, now: Instant): Pace {
  const times = timesOf(arrivals, firstSeenAt)
  const newest = times[0]
  const oldest = times.at(-1)
  if (newest === undefined || oldest === undefined) return { ...known, newestItemAt: null, weekly: null, gap: null }
  const firstItemAt = known.firstItemAt !== null && known.firstItemAt < oldest ? known.firstItemAt : oldest
  const gaps = times.slice(1).map((time, index) => between(time, times[index] ?? time) / 1000)
  const before = (known.longestSilence ?? 0) * 1000 > memory ? 0 : (known.longestSilence ?? 0)
  const longest = Math.round(Math.max(before, ...gaps))
  const recent = times.slice(0, lately)
  return {
    firstItemAt,
    newestItemAt: newest,
    longestSilence: longest > 0 ? longest : null,
    weekly: weeklyRate(times, now),
    gap: between(recent.at(-1) ?? newest, now) / 1000 / recent.length,
  }
}

/** When its articles came, the newest first, as far as they tell how it publishes. */
function timesOf(arrivals: Arrival[], firstSeenAt: Instant | null): Instant[] {
  const { atFirst = [], later = [] } = Object.groupBy(arrivals, ({ seenAt }) =>
    seenAt === firstSeenAt ? 'atFirst' : 'later',
  )
  const times = newestFirst([...later.map(({ seenAt }) => seenAt), ...withoutPinned(newestFirst(atFirst.map(dateOf)))])
  return times.filter((time) => between(time, times[0] ?? time) <= memory)
}

function newestFirst(times: Instant[]): Instant[] {
  return times.toSorted((a, b) => (a < b ? 1 : -1))
}

function dateOf({ seenAt, publishedAt }: Arrival): Instant {
  return publishedAt !== null && publishedAt < seenAt ? publishedAt : seenAt
}

/** Up to the first gap that is longer than all before it took. */
function withoutPinned(times: Instant[]): Instant[] {
  const [newest = ''] = times
  const end = times.findIndex((time, index) => {
    const next = times[index - 1] ?? newest
    return index >= telling && between(time, next) > between(next, newest)
  })
  return end === -1 ? times : times.slice(0, end)
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
