import { createHash } from 'node:crypto'
import { type Instant, later } from '../clock.ts'

/** Seconds. Nobody is asked more often, and nobody is forgotten. */
export const shortest = 5 * 60
export const longest = 24 * 3600

/** Between these the pace of the feed alone decides. */
const attentive = 15 * 60
const relaxed = 6 * 3600
const unknownPace = 3600

export type Wishes = {
  feedId: string
  /** Seconds from one article to the next; null where nothing is known. */
  gap: number | null
  /** Seconds, from Cache-Control: until then the answer would be the same. */
  maxAge: number | null
  /** Seconds, from the feed itself: `ttl`, `sy:updatePeriod`. */
  ttl: number | null
}

/**
 * When a feed that answered is asked again: four times as often as it publishes, not before the server and the feed
 * wish it, between 5 minutes and 24 hours. Feeds that would come at once are spread over a tenth of the time.
 */
export function afterSuccess({ feedId, gap, maxAge, ttl }: Wishes, now: Instant): Instant {
  const own = gap === null ? unknownPace : Math.min(relaxed, Math.max(attentive, gap / 4))
  return spread(feedId, Math.max(own, maxAge ?? 0, ttl ?? 0), now)
}

/** When a feed that failed so many times in a row is asked again: each time twice as long, and not before `retryAfter` (seconds). */
export function afterFailure(
  { feedId, failures, retryAfter }: { feedId: string; failures: number; retryAfter: number | null },
  now: Instant,
): Instant {
  const patience = shortest * 2 ** Math.min(10, Math.max(0, failures - 1))
  return spread(feedId, Math.max(patience, retryAfter ?? 0), now)
}

/** Later by up to a tenth, always the same for the same feed; a wait that stands at its limit is shortened instead. */
function spread(feedId: string, seconds: number, now: Instant): Instant {
  const wait = Math.min(longest / 1.1, Math.max(shortest, seconds))
  const fraction = createHash('sha256').update(feedId).digest().readUInt32BE(0) / 2 ** 32
  return later(now, Math.round(wait * (1 + fraction / 10)) * 1000)
}
