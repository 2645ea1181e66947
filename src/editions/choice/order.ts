import type { Candidate } from '../../store/articles/articles.ts'
import type { ReasonOf } from '../../store/events/reason.ts'
import { addMs, day, type Instant } from '../../time/clock.ts'
import type { Section } from '../digest.ts'
import { scoreOf } from './score.ts'

/** An article in its place among the candidates of a section; `score`: where the section orders by it. */
export type OrderedArticle = { article: Candidate; order: ReasonOf<'chosen'>['order']; score?: ReasonOf<'score'> }

/** Candidates as the section wants them. `sources` is how many other feeds tell the story. */
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

/** What a feed showed last stands first, as it stood there; what it shows no more comes after, by when it did. */
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

/** A date of more than a day ahead is a mistake, and must not hold the first place for ever. */
function sortInstant(article: Candidate, now: Instant): Instant {
  const { publishedAt, seenAt } = article
  return publishedAt === null || publishedAt > addMs(now, day) ? seenAt : publishedAt
}
