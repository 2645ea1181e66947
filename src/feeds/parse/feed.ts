import type { NewArticle } from '../../store/articles/article.ts'
import type { RejectedEntry } from '../../store/feeds/rejections.ts'

/** What a parser needs beside the bytes; with `needsBodies` it also reads the full text of each article. */
export type FeedContext = { url: string; contentType: string | null; needsBodies?: boolean }

/** Why a document is not a feed, for a person. */
export type NotAFeed = { failed: string }

export type ParsedFeed = {
  title: string
  siteUrl: string | null
  language: string | null
  /** Seconds between two fetches, from `ttl` or `sy:updatePeriod`; absent if the feed has neither. */
  ttl?: number
  articles: NewArticle[]
  rejected: RejectedEntry[]
  /** Entries beyond `maximumEntries`; absent if there are none. */
  unread?: number
}
