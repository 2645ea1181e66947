import { createHash } from 'node:crypto'
import { addMs, type Instant } from '../time/clock.ts'

/** Seconds. No feed is fetched more often; a hint of the server or feed can make it less often. */
const minIntervalSeconds = 5 * 60
const maxIntervalSeconds = 24 * 3600
/** A longer hint is taken for a mistake. */
const maxHintSeconds = 7 * 24 * 3600

/** The limits of the interval that follows from the publishing rate. */
const minPacedSeconds = 15 * 60
const maxPacedSeconds = 6 * 3600
const defaultIntervalSeconds = 3600

export type PollHints = {
  feedId: string
  /** Seconds from one article to the next; null if unknown. */
  gapSeconds: number | null
  /** Seconds, from Cache-Control or Expires. */
  maxAgeSeconds: number | null
  /** Seconds, from the feed: `ttl` or `sy:updatePeriod`. */
  ttlSeconds: number | null
}

/**
 * The time of the next fetch after a success: four times as often as the feed publishes, but not before the hints of the
 * server and the feed, which count up to a week.
 */
export function nextPollAfterSuccess(
  { feedId, gapSeconds: gap, maxAgeSeconds: maxAge, ttlSeconds: ttl }: PollHints,
  now: Instant,
): Instant {
  const paced = gap === null ? defaultIntervalSeconds : Math.min(maxPacedSeconds, Math.max(minPacedSeconds, gap / 4))
  return spread(feedId, Math.max(paced, cappedHint(maxAge), cappedHint(ttl)), now)
}

/**
 * The time of the next fetch after `failures` failures in a row: the interval doubles up to a day, and is at least
 * `retryAfter` (seconds), which counts up to a week.
 */
export function nextPollAfterFailure(
  { feedId, failures, retryAfter }: { feedId: string; failures: number; retryAfter: number | null },
  now: Instant,
): Instant {
  const backoffSeconds = minIntervalSeconds * 2 ** Math.min(10, Math.max(0, failures - 1))
  return spread(
    feedId,
    Math.max(Math.min(maxIntervalSeconds / (1 + spreadFraction), backoffSeconds), cappedHint(retryAfter)),
    now,
  )
}

function cappedHint(seconds: number | null): number {
  return Math.min(maxHintSeconds, seconds ?? 0)
}

const spreadFraction = 0.1

/** Adds up to a tenth, always the same for a feed, so that feeds are not all fetched at once. */
function spread(feedId: string, seconds: number, now: Instant): Instant {
  const waitSeconds = Math.max(minIntervalSeconds, seconds)
  const fraction = createHash('sha256').update(feedId).digest().readUInt32BE(0) / 2 ** 32
  return addMs(now, Math.ceil(waitSeconds * (1 + fraction * spreadFraction)) * 1000)
}
