import type { Article } from '../../store/articles/article.ts'
import type { Reason } from '../../store/events/reason.ts'
import type { Section } from '../digest.ts'
import type { MaximumRule } from '../jobs/fields.ts'
import { filterParts, matchesFilter } from './filter.ts'
import { authorsOf, terms } from './terms.ts'

type QuotaLimits = { author?: number | undefined; feed?: number | undefined; matching: MaximumRule[] }

/** Counts chosen articles against maximum rules of one section; `section` null: of the whole edition. */
export class Quota {
  readonly #limits: QuotaLimits
  readonly #section: string | null
  readonly #counts = new Map<string, number>()

  readonly #known = new Map<string, { rule: MaximumRule; key: string }[]>()

  /** The maximum rules of one section. */
  static of({ perAuthor: author, perFeed: feed, atMost: matching, name }: Section): Quota {
    return new Quota({ author, feed, matching }, name)
  }

  constructor(limits: QuotaLimits, section: string | null) {
    this.#limits = limits
    this.#section = section
  }

  /** The maximum rule for author, feed or filter that the article would exceed, as a reason; null: none. */
  exceededBy(article: Article): Reason | null {
    const { author, feedUrl, source } = article
    const section = this.#section
    const { author: byAuthor = Number.POSITIVE_INFINITY, feed: byFeed = Number.POSITIVE_INFINITY } = this.#limits
    const tooMuch = authorsOf(author).find((name) => this.#count(authorKey(name)) >= byAuthor)
    if (tooMuch !== undefined) return { code: 'maximum-of-author', section, maximum: byAuthor, author: tooMuch }
    if (this.#count(feedKey(feedUrl)) >= byFeed)
      return { code: 'maximum-of-feed', section, maximum: byFeed, source: source || feedUrl }
    const full = this.#matching(article).find(({ rule, key }) => this.#count(key) >= rule.count)?.rule
    return full ? { code: 'maximum-of-filter', section, maximum: full.count, filter: filterParts(full) } : null
  }

  /** Counts an article; `by` -1 removes it from the counts. */
  count(article: Article, by: 1 | -1 = 1): void {
    const { author, feedUrl } = article
    const keys = [
      ...authorsOf(author).map(authorKey),
      feedKey(feedUrl),
      ...this.#matching(article).map(({ key }) => key),
    ]
    for (const key of keys) this.#counts.set(key, this.#count(key) + by)
  }

  #count(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  /** Cached by article id: the search for reserved places checks the same article many times. */
  #matching(article: Article): { rule: MaximumRule; key: string }[] {
    const known = this.#known.get(article.id)
    if (known) return known
    const rules = this.#limits.matching.map((rule, index) => ({ rule, key: `rule ${index}` }))
    const matching = rules.filter(({ rule }) => matchesFilter(article, rule))
    this.#known.set(article.id, matching)
    return matching
  }
}

function authorKey(name: string): string {
  return `author ${terms(name).join(' ') || name}`
}

function feedKey(feedUrl: string): string {
  return `feed ${feedUrl}`
}
