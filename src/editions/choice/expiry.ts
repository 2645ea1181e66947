import type { Reason } from '../../store/events/reason.ts'
import { type Instant, msBetween, parseDurationMs } from '../../time/clock.ts'
import type { Digest } from '../digest.ts'
import type { ArticleChoice } from './choice.ts'
import { staleReason } from './filter.ts'

/** Why later editions ignore an article. `stale`: it is too old; `passed`: an edition that was not skipped left it out. */
export type Expiry = 'stale' | 'passed'

/**
 * Why a passed-over article expires: it is stale for every section that lists its feed, an editor excluded it, or it was
 * pending longer than `pending.for` allows. Null: the next edition may include it, as after a temporary reason.
 */
export function expiryOf(
  { article, position, isTemporary }: ArticleChoice,
  { digest, now, isSkipped }: { digest: Digest; now: Instant; isSkipped: boolean },
): Expiry | null {
  const passed = isSkipped ? null : 'passed'
  if (position === null && article.decision?.kind === 'exclude') return passed
  if (position !== null || isTemporary) return null
  const { feedUrl, addedAt: since, seenAt } = article
  const listing = digest.sections.filter(({ feeds, backfill }) => feeds.includes(feedUrl) || backfill === feedUrl)
  if (listing.length > 0 && listing.every((section) => staleReason(article, section, now) !== null)) return 'stale'
  const { for: span } = digest.pending
  if (span === 'off' || msBetween(since ?? seenAt, now) <= parseDurationMs(span)) return null
  return passed
}

/** The reason recorded for an expired article. */
export function expiryReason({ pending }: Digest): Reason {
  return { code: 'expired', pending: pending.for }
}
