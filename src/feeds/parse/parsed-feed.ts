import { maxLength } from '../../config/field-limits.ts'
import { hostWithoutWww, httpUrl, resolveBase, withSiteScheme } from '../../http/url.ts'
import type { NewArticle } from '../../store/articles/article.ts'
import type { RejectedEntry as Rejected } from '../../store/feeds/rejections.ts'
import { type Instant, systemClock } from '../../time/clock.ts'
import { shortText } from '../markup/text.ts'
import { type Context, toArticle, withoutScheme } from './article/article.ts'
import { authorLine, authorStyle } from './article/authors.ts'
import { articleBody, type BodyCleaner, newestEntries } from './article/body.ts'
import { firstResult } from './article/first-result.ts'
import { withUniqueIdentities } from './article/identity.ts'
import { dateOrder } from './date-order.ts'
import type { RawFeed } from './entry.ts'
import type { FeedContext, ParsedFeed } from './feed.ts'

/**
 * The checked feed: every entry is an article or a rejection with its reason. With `clean` the newest 200 articles have
 * their full text.
 */
export function toParsedFeed(feed: RawFeed, { url: feedUrl, now }: FeedContext, clean?: BodyCleaner): ParsedFeed {
  const home = feedBaseUrl(feed, feedUrl)
  const site = firstResult(feed.sites, (address) => httpUrl(withSiteScheme(address), resolveBase(feed.bases, home)))
  const base = resolveBase(feed.bases, site ?? home)
  const title = shortText(feed.title, maxLength.feedTitle)
  const context = contextOf(feed, { feedUrl, home, site, base, title, now: now ?? systemClock.now() })
  const entriesWithBody = clean ? newestEntries(feed.entries, context.order) : null
  const rejected: Rejected[] = []
  const readArticles: NewArticle[] = []
  for (const entry of feed.entries) {
    const result = toArticle(entry, context)
    if ('reason' in result) rejected.push(result)
    else if (clean && entriesWithBody?.has(entry))
      readArticles.push({ ...result, body: articleBody(entry, result, { clean, base, bases: feed.bases }) })
    else readArticles.push(result)
  }
  const articles = withUniqueIdentities(readArticles, rejected)
  rejected.push(...unreadParts(feed))
  const interval = feed.ttl === undefined ? {} : { ttl: feed.ttl }
  const unread = feed.left ? { unread: feed.left } : {}
  const partial = feed.cutOff || feed.unclosed ? { isPartial: true as const } : {}
  return { title, siteUrl: site, language: languageOf(feed), ...interval, articles, rejected, ...unread, ...partial }
}

/** The rejections about the document as a whole. */
function unreadParts({ cutOff, left, entries }: RawFeed): Rejected[] {
  const parts: Rejected[] = []
  if (cutOff) parts.push({ reason: { code: 'feed-cut-off' }, title: '' })
  if (left) parts.push({ reason: { code: 'entries-not-read', count: left, read: entries.length }, title: '' })
  return parts
}

type Addresses = { feedUrl: string; home: string; site: string | null; base: string }

/** What is found out from all entries together, and what an entry takes from its feed. */
function contextOf(
  feed: RawFeed,
  { feedUrl, home, site, base, title, now }: Addresses & { title: string; now: Instant },
): Context {
  const dates = feed.entries.flatMap(({ published, updated }) => [...published, ...updated])
  const order = dateOrder(dates, { language: feed.language, now })
  const lines = feed.entries.map(({ author }) => author)
  const authors = authorStyle(lines, [title, hostWithoutWww(site ?? '')])
  return {
    ...{ base, hasBase: feed.bases.length > 0, order, authors },
    feedUrl,
    feedUrls: [feedUrl, feed.self ?? ''].flatMap((url) =>
      /^https?:/.test(url) && url !== site ? [withoutScheme(url)] : [],
    ),
    ...{ fallbackUrl: site ?? pageOf(home), fallbackTitle: title, author: authorLine(feed.author, authors) },
  }
}

/**
 * The base of relative addresses: the feed's own address; for a file an address in the feed, or `file:///`. The folder of
 * the file does not count, so that its articles are the same in another folder.
 */
function feedBaseUrl(feed: RawFeed, feedUrl: string): string {
  const home = resolveBase([withSiteScheme(feed.self ?? '')], feedUrl)
  if (/^https?:/i.test(home)) return home
  const ids = [feed.id, ...feed.entries.flatMap(({ guid, links }) => [guid, ...links])]
  return firstResult(ids, asHttpUrl) ?? firstResult(ids, tagUriHost) ?? 'file:///'
}

/** The front page of the host of a feed that names no site. */
function pageOf(feedUrl: string): string {
  const front = /^https?:/.test(feedUrl) ? new URL('/', feedUrl).href : feedUrl
  return front === `${feedUrl}/` ? feedUrl : front
}

function asHttpUrl(text: string): string | null {
  return /^https?:\/\/\S+$/i.test(text) ? httpUrl(text, text) : null
}

/** The host of a tag URI, `tag:harbour.example,2026:1` (RFC 4151). */
function tagUriHost(text: string): string | null {
  const host = /^tag:(?:[^@,\s]{1,100}@)?((?:[a-z\d-]+\.)+[a-z]{2,20}),\d{4}/i.exec(text)?.[1]
  return host ? `http://${host}/` : null
}

function languageOf({ language }: RawFeed): string | null {
  const tag = language?.trim() ?? ''
  return tag === '' || tag.length > maxLength.language ? null : tag
}
