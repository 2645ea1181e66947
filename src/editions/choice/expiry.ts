import type { Reason } from '../../store/events/reason.ts'
import { type Instant, msBetween, parseDurationMs } from '../../time/clock.ts'
import type { Digest } from '../digest.ts'
import type { ArticleChoice } from './choice.ts'
import { staleReason } from './filter.ts'

/** Why no later edition looks at an article. `stale`: it is too old; `passed`: an edition that is not skipped passed it over. */
export type Expiry = 'stale' | 'passed'

/**
 * Whether an article that was passed over has come to its end: it is fresh for none of the sections that list its feed, or
 * it has been pending for longer than the rule, and was passed over for what it is or for what else there was. Null: the
 * next edition may hold it.
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

/** What the reason of a passed-over article says of it. */
export function expiryReason({ pending }: Digest): Reason {
  return { code: 'expired', pending: pending.for }
}
