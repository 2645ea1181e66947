import { createHash } from 'node:crypto'
import { addMs, type Instant } from '../time/clock.ts'

/** Seconds. Nobody is asked more often, and by ourselves we forget nobody for longer. */
const minIntervalSeconds = 5 * 60
const maxIntervalSeconds = 24 * 3600
/** A longer wish than this is a mistake. */
const maxHintSeconds = 7 * 24 * 3600

/** Between these the pace of the feed alone decides. */
const minPacedSeconds = 15 * 60
const maxPacedSeconds = 6 * 3600
const defaultIntervalSeconds = 3600

export type PollHints = {
  feedId: string
  /** Seconds from one article to the next; null where nothing is known. */
  gapSeconds: number | null
  /** Seconds, from Cache-Control or Expires: until then the answer would be the same. */
  maxAgeSeconds: number | null
  /** Seconds, from the feed itself: `ttl`, `sy:updatePeriod`. */
  ttlSeconds: number | null
}

/**
 * When a feed that answered is asked again: four times as often as it publishes, and not before the server and the feed
 * wish it, a week ahead at most. Feeds that would come at once are spread over a tenth of the time, always later.
 */
export function nextPollAfterSuccess(
  { feedId, gapSeconds: gap, maxAgeSeconds: maxAge, ttlSeconds: ttl }: PollHints,
  now: Instant,
): Instant {
  const own = gap === null ? defaultIntervalSeconds : Math.min(maxPacedSeconds, Math.max(minPacedSeconds, gap / 4))
  return spread(feedId, Math.max(own, cappedHint(maxAge), cappedHint(ttl)), now)
}

/**
 * When a feed that failed so many times in a row is asked again: each time twice as long, up to a day, and not before
 * `retryAfter` (seconds), a week ahead at most.
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

/** Later by up to a tenth, always the same for the same feed. */
function spread(feedId: string, seconds: number, now: Instant): Instant {
  const waitSeconds = Math.max(minIntervalSeconds, seconds)
  const fraction = createHash('sha256').update(feedId).digest().readUInt32BE(0) / 2 ** 32
  return addMs(now, Math.ceil(waitSeconds * (1 + fraction * spreadFraction)) * 1000)
}
