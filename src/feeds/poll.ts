import { createHash } from 'node:crypto'
import { type Instant, later } from '../clock.ts'

/** Seconds. Nobody is asked more often, and by ourselves we forget nobody for longer. */
const shortest = 5 * 60
const longest = 24 * 3600
/** A longer wish than this is a mistake. */
const longestWish = 7 * 24 * 3600

/** Between these the pace of the feed alone decides. */
const attentive = 15 * 60
const relaxed = 6 * 3600
const unknownPace = 3600

export type Wishes = {
  feedId: string
  /** Seconds from one article to the next; null where nothing is known. */
  gap: number | null
  /** Seconds, from Cache-Control or Expires: until then the answer would be the same. */
  maxAge: number | null
  /** Seconds, from the feed itself: `ttl`, `sy:updatePeriod`. */
  ttl: number | null
}

/**
 * When a feed that answered is asked again: four times as often as it publishes, and not before the server and the feed
 * wish it, a week ahead at most. Feeds that would come at once are spread over a tenth of the time, always later.
 */
export function afterSuccess({ feedId, gap, maxAge, ttl }: Wishes, now: Instant): Instant {
  const own = gap === null ? unknownPace : Math.min(relaxed, Math.max(attentive, gap / 4))
  return spread(feedId, Math.max(own, wish(maxAge), wish(ttl)), now)
}

/**
 * When a feed that failed so many times in a row is asked again: each time twice as long, up to a day, and not before
 * `retryAfter` (seconds), a week ahead at most.
 */
export function afterFailure(
  { feedId, failures, retryAfter }: { feedId: string; failures: number; retryAfter: number | null },
  now: Instant,
): Instant {
  const patience = shortest * 2 ** Math.min(10, Math.max(0, failures - 1))
  return spread(feedId, Math.max(Math.min(longest / (1 + spreading), patience), wish(retryAfter)), now)
}

function wish(seconds: number | null): number {
  return Math.min(longestWish, seconds ?? 0)
}

const spreading = 0.1

/** Later by up to a tenth, always the same for the same feed. */
function spread(feedId: string, seconds: number, now: Instant): Instant {
  const wait = Math.max(shortest, seconds)
  const fraction = createHash('sha256').update(feedId).digest().readUInt32BE(0) / 2 ** 32
  return later(now, Math.ceil(wait * (1 + fraction * spreading)) * 1000)
}
