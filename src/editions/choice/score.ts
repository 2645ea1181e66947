import type { Article } from '../../store/articles/article.ts'
import { day, type Instant, msBetween } from '../../time/clock.ts'

/**
 * How much an article is worth, from what we know and nothing else: 0–7 for being fresh (one less for each day since
 * it was first seen), 2 for a picture, 1 for a summary, 1 for an author, 3 for each other source of the same story,
 * three at most. Equal input, equal score. `words` says how it came about.
 */
export function scoreOf(article: Article, sources: number, now: Instant): { points: number; words: string } {
  const parts: [string, number][] = [
    ['fresh', Math.max(0, 7 - Math.floor(msBetween(article.seenAt, now) / day))],
    ['picture', article.image ? 2 : 0],
    ['summary', article.summary.length >= 40 ? 1 : 0],
    ['author', article.author ? 1 : 0],
    ['other sources', 3 * Math.min(3, sources)],
  ]
  const points = parts.reduce((sum, [, part]) => sum + part, 0)
  const counted = parts.filter(([, part]) => part > 0).map(([name, part]) => `${name} ${part}`)
  return { points, words: `score ${points}${counted.length > 0 ? ` (${counted.join(', ')})` : ''}` }
}
