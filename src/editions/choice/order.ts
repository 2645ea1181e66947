import type { Candidate } from '../../store/articles/articles.ts'
import { trustedDate } from '../../store/articles/forgotten.ts'
import type { ReasonOf } from '../../store/events/reason.ts'
import type { Instant } from '../../time/clock.ts'
import type { Section } from '../digest.ts'
import { scoreOf } from './score.ts'

/** A section's candidate in sorted order; `score` is set if the section orders by score. */
export type OrderedArticle = { article: Candidate; order: ReasonOf<'chosen'>['order']; score?: ReasonOf<'score'> }

/** Sorts candidates by the section's `order`. `sources` returns the number of other feeds with the same story. */
export function orderCandidates(
  candidates: Candidate[],
  section: Pick<Section, 'order' | 'feeds'>,
  sources: (article: Candidate) => number,
  now: Instant,
): OrderedArticle[] {
  const newest = candidates.toSorted((a, b) => compareNewestFirst(a, b, now))
  if (section.order === 'newest') return newest.map((article) => ({ article, order: 'newest' }))
  if (section.order === 'feed') {
    const sorted = newest.toSorted((a, b) => compareByFeedPosition(a, b, section.feeds))
    return sorted.map((article) => ({ article, order: 'feed' }))
  }
  return newest
    .map((article) => ({ article, order: 'score' as const, score: scoreOf(article, sources(article), now) }))
    .toSorted((a, b) => b.score.points - a.score.points)
}

/** Sorts by feed, then by the time the feed last listed the article (newest first), then by position in the feed. */
function compareByFeedPosition(a: Candidate, b: Candidate, feeds: string[]): number {
  const feed = feeds.indexOf(a.feedUrl) - feeds.indexOf(b.feedUrl)
  if (feed !== 0) return feed
  const [one, other] = [feedPositionOf(a), feedPositionOf(b)]
  if (one.at !== other.at) return one.at > other.at ? -1 : 1
  return one.place - other.place || (a.id < b.id ? -1 : 1)
}

function feedPositionOf({ shown, seenAt }: Candidate): { at: Instant; place: number } {
  return shown ?? { at: seenAt, place: 0 }
}

function compareNewestFirst(a: Candidate, b: Candidate, now: Instant): number {
  const left = sortInstant(a, now)
  const right = sortInstant(b, now)
  if (left !== right) return left < right ? 1 : -1
  return a.id < b.id ? -1 : 1
}

/** The publication time, or the first-seen time if the date is absent, more than a day in the future or before 1990. */
function sortInstant(article: Candidate, now: Instant): Instant {
  const { publishedAt, seenAt } = article
  return trustedDate({ publishedAt, seenAt: now }) ?? seenAt
}
