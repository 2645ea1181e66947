import type { NewArticle } from '../../store/articles/article.ts'
import type { RejectedEntry } from '../../store/feeds/rejections.ts'
import type { Instant } from '../../time/clock.ts'

/**
 * What a parser needs beside the bytes; with `needsBodies` it also reads the full text of each article. `now` (else the
 * system's time) says which reading of a date like 01/02/30 is still to come.
 */
export type FeedContext = { url: string; contentType: string | null; needsBodies?: boolean; now?: Instant }

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
  /** The document ends early, so more entries may follow; absent if it is whole. */
  isPartial?: true
}
