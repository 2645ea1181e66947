import type { Article } from '../../store/articles/article.ts'
import type { ReasonOf } from '../../store/events/reason.ts'
import { day, type Instant, msBetween } from '../../time/clock.ts'

/**
 * The score of an article: 0–7 points for freshness (one less for each day since it was first seen), 2 for a picture,
 * 1 for a summary of at least 40 characters, 1 for an author, 3 for each other source of the story (at most 3 sources).
 */
export function scoreOf(article: Article, sources: number, now: Instant): ReasonOf<'score'> {
  const parts: [ReasonOf<'score-part'>['part'], number][] = [
    ['fresh', Math.max(0, 7 - Math.floor(msBetween(article.seenAt, now) / day))],
    ['picture', article.image ? 2 : 0],
    ['summary', article.summary.length >= 40 ? 1 : 0],
    ['author', article.author ? 1 : 0],
    ['sources', 3 * Math.min(3, sources)],
  ]
  const counted = parts.filter(([, points]) => points > 0)
  return {
    code: 'score',
    points: counted.reduce((sum, [, points]) => sum + points, 0),
    parts: counted.map(([part, points]) => ({ code: 'score-part', part, points })),
  }
}
