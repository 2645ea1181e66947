import type { Article } from '../../store/articles/article.ts'
import { type Instant, msBetween, parseDurationMs } from '../../time/clock.ts'
import type { Section } from '../digest.ts'
import type { ArticleFilter } from '../jobs/fields.ts'
import { authorsOf, hasTerms, haveSameTerms } from './terms.ts'

/** Why the section's rules leave the article out, in words, or null. */
export function exclusionReason(article: Article, section: Section): string | null {
  const { include, exclude, name } = section
  const against = exclude && firstMatch(article, exclude)
  if (against) return `the section ${name} leaves out ${against}`
  if (include && !firstMatch(article, include)) return `the section ${name} takes in only ${filterText(include)}`
  return null
}

/** Why it is too old for the section, or null. Counted from when we first saw it: a date in a feed may be wrong, and only sorts. */
export function staleReason({ seenAt }: Article, { freshness }: Section, now: Instant): string | null {
  if (freshness === undefined || msBetween(seenAt, now) <= parseDurationMs(freshness)) return null
  return `it is not fresh: first seen on ${seenAt}, longer ago than ${freshness}`
}

export function matchesFilter(article: Article, filter: ArticleFilter): boolean {
  return firstMatch(article, filter) !== undefined
}

/** What the filter looks for: `categories Sport, Racing or words horse`. */
export function filterText({ categories, words, authors }: ArticleFilter): string {
  const lists = [
    ['categories', categories],
    ['authors', authors],
    ['words', words],
  ] as const
  return lists.flatMap(([what, list]) => (list.length > 0 ? [`${what} ${list.join(', ')}`] : [])).join(' or ')
}

/** The first of the filter that the article matches: `the category “Sport”`. */
function firstMatch(article: Article, { categories, words, authors }: ArticleFilter): string | undefined {
  const category = categories.find((wanted) => article.categories.some((one) => haveSameTerms(one, wanted)))
  if (category !== undefined) return `the category “${category}”`
  const names = authors.length === 0 ? [] : [article.author, ...authorsOf(article.author)]
  const author = authors.find((wanted) => names.some((name) => haveSameTerms(name, wanted)))
  if (author !== undefined) return `the author “${author}”`
  const word = words.find((wanted) => hasTerms(article.title, wanted) || hasTerms(article.summary, wanted))
  return word === undefined ? undefined : `the word “${word}”`
}
