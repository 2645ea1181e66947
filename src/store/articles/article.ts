import type { Instant } from '../../time/clock.ts'
import type { ArticleRow } from '../schema.ts'

/** One entry of a feed, in one shape for all formats. */
export type NewArticle = {
  /** Identifies the article in later reads of its feed: the guid, else the canonical link. Unique within the feed. */
  identity: string
  /**
   * The identity without the part that distinguishes it from entries with the same guid or link; absent if no other
   * entry shares it.
   */
  bare?: string
  /** Absolute http or https address. */
  url: string
  /** Plain text: entities decoded, no markup, white space folded. */
  title: string
  /** Plain text, a few sentences at most; empty if the feed says nothing. */
  summary: string
  author: string
  image: Image | null
  /** The portrait of its author; absent if the feed has none. */
  portrait?: Image
  /** The video file, if the feed names one. */
  video: Video | null
  categories: string[]
  publishedAt: Instant | null
  updatedAt: Instant | null
  /** The full text; absent if it was not requested. */
  body?: Body | null
  /** The correction note in its text, if any. */
  note?: string
}

/**
 * The full text of an article as safe, balanced HTML: p, br, a with an absolute http or https address, em, i, strong,
 * b, code, blockquote, ul, ol, li, h3, h4, and no attribute except `href`, `start`, `type` and
 * `value`. `cut`: its end is missing.
 */
export type Body = { html: string; cut: boolean }

export type Image = { url: string; width: number | null; height: number | null; alt: string }

export type Video = { url: string; seconds: number | null }

/** An article as the code uses it: the row with its JSON parsed, and its feed. */
export type Article = Omit<
  ArticleRow,
  | 'image'
  | 'video'
  | 'categories'
  | 'page'
  | 'titleKey'
  | 'textFingerprint'
  | 'shownAt'
  | 'place'
  | 'body'
  | 'askAt'
  | 'asked'
  | 'leadsTo'
> &
  Pick<NewArticle, 'image' | 'portrait' | 'video' | 'categories'> & {
    feedUrl: string
    source: string
  }

/** An article with its full text, which is read only for an edition that prints it. */
export type WholeArticle = Article & { body: Body | null }

/** The metadata and text of an article's page. `body` is absent if the text was not read, null if there is none. */
export type PageFacts = Pick<NewArticle, 'summary' | 'author' | 'image' | 'body'> & { canonical: string | null }
