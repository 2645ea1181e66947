import { day, type Instant, later } from '../clock.ts'
import type { Article } from '../store/articles.ts'
import type { Section } from './digest.ts'
import { scoreOf } from './score.ts'

/** An article in its place among the candidates of a section; `words` says for a person how it got there. */
export type Placed = { article: Article; words: string }

/** Candidates as the section wants them. `sources` is how many other feeds tell the story. */
export function inOrder(
  candidates: Article[],
  section: Pick<Section, 'order' | 'feeds'>,
  sources: (article: Article) => number,
  now: Instant,
): Placed[] {
  const newest = candidates.toSorted((a, b) => newestFirst(a, b, now))
  if (section.order === 'newest') return newest.map((article) => ({ article, words: 'newest first' }))
  if (section.order === 'feed') {
    const sorted = newest.toSorted((a, b) => asFed(a, b, section.feeds))
    return sorted.map((article) => ({ article, words: 'in the order of the feed' }))
  }
  return newest
    .map((article) => ({ article, ...scoreOf(article, sources(article), now) }))
    .toSorted((a, b) => b.points - a.points)
    .map(({ article, words }) => ({ article, words }))
}

/** Readers' letters: whoever wrote first is printed first. */
export function inLine(letters: Article[]): Placed[] {
  const received = ({ publishedAt, seenAt }: Article) => publishedAt ?? seenAt
  const sorted = letters.toSorted((a, b) => {
    if (received(a) !== received(b)) return received(a) < received(b) ? -1 : 1
    return a.id < b.id ? -1 : 1
  })
  return sorted.map((article) => ({ article, words: 'the letter that came first stands first' }))
}

/** What a feed showed last stands first, and what it showed at once as it stood there: ids count up within one look. */
function asFed(a: Article, b: Article, feeds: string[]): number {
  const place = feeds.indexOf(a.feedUrl) - feeds.indexOf(b.feedUrl)
  if (place !== 0) return place
  if (a.seenAt !== b.seenAt) return a.seenAt > b.seenAt ? -1 : 1
  return a.id < b.id ? -1 : 1
}

function newestFirst(a: Article, b: Article, now: Instant): number {
  const left = sortingInstant(a, now)
  const right = sortingInstant(b, now)
  if (left !== right) return left < right ? 1 : -1
  return a.id < b.id ? -1 : 1
}

/** A date of more than a day ahead is a mistake, and must not hold the first place for ever. */
function sortingInstant(article: Article, now: Instant): Instant {
  const { publishedAt, seenAt } = article
  return publishedAt === null || publishedAt > later(now, day) ? seenAt : publishedAt
}
