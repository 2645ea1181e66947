import type { Article } from '../../store/articles/article.ts'
import type { FilterParts, Reason, ReasonOf } from '../../store/events/reason.ts'
import { type Instant, msBetween, parseDurationMs } from '../../time/clock.ts'
import type { Section } from '../digest.ts'
import type { ArticleFilter } from '../jobs/fields.ts'
import { authorsOf, hasTerms, haveSameTerms } from './terms.ts'

/** Why the section's `include` and `exclude` filters reject the article, or null. */
export function exclusionReason(article: Article, section: Section): Reason | null {
  const { include, exclude, name } = section
  const against = exclude && firstMatch(article, exclude)
  if (against) return { code: 'excluded', section: name, ...against }
  if (include && !firstMatch(article, include))
    return { code: 'not-included', section: name, filter: filterParts(include) }
  return null
}

/** Why the article is too old for the section, or null. Age counts from `seenAt`, because dates in feeds may be wrong. */
export function staleReason({ seenAt }: Article, { freshness }: Section, now: Instant): Reason | null {
  if (freshness === undefined || msBetween(seenAt, now) <= parseDurationMs(freshness)) return null
  return { code: 'stale', seenAt, freshness }
}

export function matchesFilter(article: Article, filter: ArticleFilter): boolean {
  return firstMatch(article, filter) !== undefined
}

/** The filter's terms, for a reason. */
export function filterParts({ categories, words, authors }: ArticleFilter): FilterParts {
  const lists = [
    ['categories', categories],
    ['authors', authors],
    ['words', words],
  ] as const
  return lists.flatMap(([by, terms]) => (terms.length > 0 ? [{ code: 'filter-part' as const, by, terms }] : []))
}

type Match = Pick<ReasonOf<'excluded'>, 'by' | 'term'>

/** The first filter term that the article matches: categories, then authors, then words. */
function firstMatch(article: Article, { categories, words, authors }: ArticleFilter): Match | undefined {
  const category = categories.find((wanted) => article.categories.some((one) => haveSameTerms(one, wanted)))
  if (category !== undefined) return { by: 'category', term: category }
  const names = authors.length === 0 ? [] : [article.author, ...authorsOf(article.author)]
  const author = authors.find((wanted) => names.some((name) => haveSameTerms(name, wanted)))
  if (author !== undefined) return { by: 'author', term: author }
  const word = words.find((wanted) => hasTerms(article.title, wanted) || hasTerms(article.summary, wanted))
  return word === undefined ? undefined : { by: 'word', term: word }
}
