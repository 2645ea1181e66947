import type { Instant } from '../../time/clock.ts'
import type { ArticleRow } from '../schema.ts'

/** One entry of a feed in our own words. The shapes of parsers end before it. */
export type NewArticle = {
  /** Identifies the article when it is shown again: the guid, else the canonical link. Unique within its feed. */
  identity: string
  /** Its identity without what tells it from other pieces of the feed that bear the same; absent where none does. */
  bare?: string
  /** Absolute http or https address. */
  url: string
  /** Plain text: entities decoded, no markup, white space folded. */
  title: string
  /** Plain text, a few sentences at most; empty if the feed says nothing. */
  summary: string
  author: string
  image: Image | null
  /** The moving picture itself, where the feed names one. */
  video: Video | null
  categories: string[]
  publishedAt: Instant | null
  updatedAt: Instant | null
  /** The full text; absent where it was not requested. */
  body?: Body | null
  /** The correction note in its text, if any. */
  note?: string
}

/**
 * The whole text of an article as safe HTML: p, br, a with an absolute http or https address, em, i, strong, b, code,
 * blockquote, ul, ol, li, h3, h4, and no attribute but `href`. Balanced, and made by us. `cut`: its end is left out.
 */
export type Body = { html: string; cut: boolean }

export type Image = { url: string; width: number | null; height: number | null; alt: string }

export type Video = { url: string; seconds: number | null }

/** An article as the steps see it: the row with its structure unfolded, and the feed that it came from. */
export type Article = Omit<
  ArticleRow,
  'image' | 'video' | 'categories' | 'page' | 'titleKey' | 'shownAt' | 'place' | 'body' | 'askAt' | 'asked' | 'leadsTo'
> &
  Pick<NewArticle, 'image' | 'video' | 'categories'> & {
    feedUrl: string
    source: string
  }

/** An article with its full text, which is read only for printing. */
export type WholeArticle = Article & { body: Body | null }

/** What the article's page says. `body` is absent where the page was not read for its text, null where it has none. */
export type PageFacts = Pick<NewArticle, 'summary' | 'author' | 'image' | 'body'> & { canonical: string | null }
