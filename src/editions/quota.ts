import type { Article } from '../store/articles.ts'
import { titleWords } from '../store/canonical.ts'

type Limits = { author?: number | undefined; feed?: number | undefined }

/** Counts what has been chosen against "at most so many". `scope` is what the limits are about, for the reason. */
export class Quota {
  readonly #limits: Limits
  readonly #scope: string
  readonly #authors = new Map<string, number>()
  readonly #feeds = new Map<string, number>()

  constructor(limits: Limits, scope: string) {
    this.#limits = limits
    this.#scope = scope
  }

  /** Why one more by this author, or from this feed, is too many, or null. */
  exceededBy({ author, feedUrl, source }: Article): string | null {
    const { author: byAuthor = Number.POSITIVE_INFINITY, feed: byFeed = Number.POSITIVE_INFINITY } = this.#limits
    if (author && (this.#authors.get(keyOf(author)) ?? 0) >= byAuthor)
      return `${this.#scope} holds at most ${byAuthor} by ${author}`
    if ((this.#feeds.get(feedUrl) ?? 0) >= byFeed)
      return `${this.#scope} holds at most ${byFeed} from ${source || feedUrl}`
    return null
  }

  count({ author, feedUrl }: Article): void {
    if (author) this.#authors.set(keyOf(author), (this.#authors.get(keyOf(author)) ?? 0) + 1)
    this.#feeds.set(feedUrl, (this.#feeds.get(feedUrl) ?? 0) + 1)
  }
}

function keyOf(author: string): string {
  return titleWords(author).join(' ') || author
}
