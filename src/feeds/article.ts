import { createHash } from 'node:crypto'
import { noteInTexts } from './correction-note.ts'
import { readDate } from './dates.ts'
import type { Entry, RawFeed } from './entry.ts'
import type { Image, NewArticle, ParsedFeed, Rejected, Video } from './feed.ts'
import { firstPicture, numberOf, secondsOf } from './media.ts'
import { firstWords, plainText, summaryText } from './text.ts'
import { absolute, baseOf, isHostile, webAddress } from './url.ts'

/** The feed in our own words. Every entry is an article or a rejection with its reason; none disappears. */
export function toParsedFeed(feed: RawFeed, feedUrl: string): ParsedFeed {
  const home = homeOf(feed, feedUrl)
  const site =
    feed.sites.map((address) => absolute(address, baseOf(feed.bases, home))).find((url) => url !== null) ?? null
  const base = baseOf(feed.bases, site ?? home)
  const title = plainText(feed.title)
  const context: Context = { base, fallbackUrl: site ?? home, fallbackTitle: title, author: feed.author }
  const rejected: Rejected[] = []
  const read: NewArticle[] = []
  for (const entry of feed.entries) {
    const result = toArticle(entry, context)
    if ('reason' in result) rejected.push(result)
    else read.push(result)
  }
  const articles = unique(read, rejected)
  if (feed.cutOff) rejected.push({ reason: 'the feed is cut off in the middle of it', title: '' })
  if (feed.left)
    rejected.push({
      reason: `${feed.left} more entries than the ${feed.entries.length} that are read at once`,
      title: '',
    })
  const wish = feed.ttl === undefined ? {} : { ttl: feed.ttl }
  return { title, siteUrl: site, language: feed.language?.trim() || null, ...wish, articles, rejected }
}

/** Where relative addresses start: the feed's own address; for a file, whatever the feed tells of where it came from. */
function homeOf(feed: RawFeed, feedUrl: string): string {
  const home = baseOf([feed.self ?? ''], feedUrl)
  if (/^https?:/i.test(home)) return home
  const clue = feed.entries
    .flatMap(({ guid, links }) => [guid, ...links])
    .find((text) => /^https?:\/\/\S+$/i.test(text))
  return baseOf([clue ?? ''], home)
}

type Context = { base: string; fallbackUrl: string; fallbackTitle: string; author: string }

function toArticle(entry: Entry, context: Context): NewArticle | Rejected {
  const base = baseOf(entry.bases, context.base)
  const summary = first(entry.texts, summaryText) ?? ''
  const ownTitle = plainText(entry.title, 500)
  const ownUrl = first(entry.links, (link) => absolute(link, base))
  const title = ownTitle || firstWords(summary) || context.fallbackTitle || context.fallbackUrl
  if (!ownUrl && entry.links.some(isHostile)) return { reason: 'its link is not an address of the web', title }
  if (isEmpty(entry) && !ownTitle && !summary && !ownUrl)
    return { reason: 'nothing in it: no title, no text, no link', title: '' }
  const url = ownUrl ?? context.fallbackUrl
  const published = first(entry.published, readDate)
  const updated = first(entry.updated, readDate)
  const note = noteInTexts(entry.texts)
  return {
    identity:
      entry.guid.trim() ||
      ownUrl ||
      digest([ownTitle, ...entry.texts.map(({ value }) => value), published ?? updated, entry.author].join('\n')),
    url,
    title,
    summary: summary === title ? '' : summary,
    author: entry.author || context.author,
    image: imageOf(entry, ownUrl && /^https?:/.test(ownUrl) ? base : context.base),
    video: videoOf(entry, base),
    categories: entry.categories
      .filter((category, index, all) => category && all.indexOf(category) === index)
      .slice(0, 30),
    publishedAt: published ?? updated,
    updatedAt: updated,
    ...(note && { note: note.text }),
  }
}

/**
 * Identities unique within the feed. The same guid with another link, or the same link with another title, is another
 * article: then all who share it carry the difference in their identity, so that it does not depend on their order.
 */
function unique(read: NewArticle[], rejected: Rejected[]): NewArticle[] {
  if (new Set(read.map(({ identity }) => identity)).size === read.length) return read
  const urls = distinct(
    read,
    ({ identity }) => identity,
    ({ url }) => url,
  )
  const titles = distinct(
    read,
    ({ identity, url }) => `${identity} ${url}`,
    ({ title }) => title,
  )
  const articles = new Map<string, NewArticle>()
  for (const article of read) {
    const byUrl = several(urls, article.identity) ? ` ${article.url}` : ''
    const byTitle = several(titles, `${article.identity} ${article.url}`) ? ` ${digest(article.title)}` : ''
    const identity = article.identity + byUrl + byTitle
    if (articles.has(identity)) rejected.push({ reason: 'it is twice in this feed', title: article.title })
    else articles.set(identity, { ...article, identity })
  }
  return [...articles.values()]
}

type Distinct = Map<string, Set<string>>

function distinct(
  read: NewArticle[],
  key: (article: NewArticle) => string,
  value: (article: NewArticle) => string,
): Distinct {
  const found: Distinct = new Map()
  for (const article of read) {
    const values = found.get(key(article))
    if (values) values.add(value(article))
    else found.set(key(article), new Set([value(article)]))
  }
  return found
}

function several(found: Distinct, key: string): boolean {
  return (found.get(key)?.size ?? 0) > 1
}

function isEmpty(entry: Entry): boolean {
  const { guid, author, categories, published, updated, images, video } = entry
  return (
    !guid.trim() && !author && !categories.length && !published.length && !updated.length && !images.length && !video
  )
}

/** The first that becomes something, without trying the rest. */
function first<From, To>(candidates: From[], read: (candidate: From) => To | null): To | null {
  for (const candidate of candidates) {
    const value = read(candidate)
    if (value) return value
  }
  return null
}

function imageOf(entry: Entry, base: string): Image | null {
  for (const { url, width, height, alt } of entry.images) {
    const address = webAddress(url, base)
    if (address)
      return {
        url: address,
        width: numberOf(width),
        height: numberOf(height),
        alt: plainText({ value: alt, kind: 'perhaps-html' }, 300),
      }
  }
  return firstPicture(entry.html, base)
}

function videoOf({ video }: Entry, base: string): Video | null {
  const url = video ? webAddress(video.url, base) : null
  return video && url ? { url, seconds: secondsOf(video.duration) } : null
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24)
}
