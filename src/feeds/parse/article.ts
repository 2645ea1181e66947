import { maxCategories, maxLength } from '../../config/field-limits.ts'
import { absoluteUrl, httpUrl, isUnsafeUrl, isUrlTooLong, resolveBase, withSiteScheme } from '../../http/url.ts'
import type { Body, Image, NewArticle, Video } from '../../store/articles/article.ts'
import { bareIdentity, fingerprint, identityKey, sharedIdentity } from '../../store/articles/identity.ts'
import type { Reason } from '../../store/events/reason.ts'
import type { RejectedEntry as Rejected } from '../../store/feeds/rejections.ts'
import { noteInTexts } from '../markup/correction-note.ts'
import { firstWords } from '../markup/sentences.ts'
import { maxSummaryLength, plainText, type RichText, shortText, summaryText } from '../markup/text.ts'
import { readDate } from './dates.ts'
import type { Entry, RawFeed } from './entry.ts'
import type { ParsedFeed } from './feed.ts'
import { firstPicture, parseDurationSeconds, parsePixels } from './media.ts'

/** Makes safe HTML of a text, with links absolute from `base`; see clean-body.ts. */
export type BodyCleaner = (text: RichText, base: string) => Body | null

/**
 * The checked feed: every entry is an article or a rejection with its reason. With `clean` the newest 200 articles have
 * their full text.
 */
export function toParsedFeed(feed: RawFeed, feedUrl: string, clean?: BodyCleaner): ParsedFeed {
  const home = feedBaseUrl(feed, feedUrl)
  const site = firstResult(feed.sites, (address) => httpUrl(withSiteScheme(address), resolveBase(feed.bases, home)))
  const base = resolveBase(feed.bases, site ?? home)
  const title = shortText(feed.title, maxLength.feedTitle)
  const context: Context = { base, fallbackUrl: site ?? home, fallbackTitle: title, author: authorLine(feed.author) }
  const entriesWithBody = clean ? newestEntries(feed.entries) : null
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
  if (feed.cutOff) rejected.push({ reason: { code: 'feed-cut-off' }, title: '' })
  if (feed.left)
    rejected.push({
      reason: { code: 'entries-not-read', count: feed.left, read: feed.entries.length },
      title: '',
    })
  const interval = feed.ttl === undefined ? {} : { ttl: feed.ttl }
  const unread = feed.left ? { unread: feed.left } : {}
  return { title, siteUrl: site, language: languageOf(feed), ...interval, articles, rejected, ...unread }
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

function asHttpUrl(text: string): string | null {
  return /^https?:\/\/\S+$/i.test(text) ? httpUrl(text, text) : null
}

/** The host of a tag URI, `tag:harbour.example,2026:1` (RFC 4151). */
function tagUriHost(text: string): string | null {
  const host = /^tag:(?:[^@,\s]{1,100}@)?((?:[a-z\d-]+\.)+[a-z]{2,20}),\d{4}/i.exec(text)?.[1]
  return host ? `http://${host}/` : null
}

type Context = { base: string; fallbackUrl: string; fallbackTitle: string; author: string }

function toArticle(entry: Entry, context: Context): NewArticle | Rejected {
  const base = resolveBase(entry.bases, context.base)
  const summary = firstResult(entry.texts, summaryText) ?? ''
  const ownTitle = shortText(entry.title, maxLength.title)
  const link = entry.links.find((one) => absoluteUrl(one, base) !== null || isUrlTooLong(one, base))
  const ownUrl = link === undefined ? null : absoluteUrl(link, base)
  const title = ownTitle || firstWords(summary) || context.fallbackTitle || context.fallbackUrl
  if (!ownUrl && link !== undefined)
    return toRejected(entry, title, { code: 'link-too-long', maximum: maxLength.address }, link)
  if (!ownUrl && entry.links.some(isUnsafeUrl)) return toRejected(entry, title, { code: 'link-not-web' })
  if (isEmpty(entry) && !ownTitle && !summary && !ownUrl) return { reason: { code: 'empty-entry' }, title: '' }
  const updatedAt = firstResult(entry.updated, readDate)
  const publishedAt = firstResult(entry.published, readDate) ?? updatedAt
  const note = noteInTexts(entry.texts)
  return {
    identity: entryIdentity(entry, { url: ownUrl, title: ownTitle, publishedAt }),
    url: ownUrl ?? context.fallbackUrl,
    title,
    summary: summary === title ? '' : summary,
    author: authorLine(entry.author) || context.author,
    image: imageOf(entry, isHttpUrl(ownUrl) ? base : context.base),
    video: videoOf(entry, base),
    categories: [...new Set(entry.categories)].slice(0, maxCategories),
    publishedAt,
    updatedAt,
    ...(note && { note: note.text }),
  }
}

function isHttpUrl(url: string | null): boolean {
  return url !== null && /^https?:/.test(url)
}

/** From the guid, else from the link, else from the whole entry. */
function entryIdentity(
  { guid, texts, author }: Entry,
  { url, title, publishedAt }: { url: string | null; title: string; publishedAt: string | null },
): string {
  const content = () => fingerprint([title, ...texts.map(({ value }) => value), publishedAt, author].join('\n'))
  return identityOf(guid) || identityOf(url ?? '') || content()
}

/** A guid or link that is too long for an index is replaced by its hash, as in the store. */
function identityOf(text: string): string {
  const identity = bareIdentity(text)
  return identity.length > maxLength.identity ? identityKey(identity) : identity
}

/** Several names as one text, cut after the last whole name that fits. */
function authorLine(author: string): string {
  if (author.length <= maxLength.author) return author
  const end = author.lastIndexOf(', ', maxLength.author - 3)
  return end > 0 ? `${author.slice(0, end)}, …` : shortText({ value: author, kind: 'text' }, maxLength.author)
}

function languageOf({ language }: RawFeed): string | null {
  const tag = language?.trim() ?? ''
  return tag === '' || tag.length > maxLength.language ? null : tag
}

function toRejected(entry: Entry, title: string, reason: Reason, link = entry.links[0] ?? ''): Rejected {
  return {
    reason,
    title,
    link: link.slice(0, maxLength.rejected),
    guid: identityOf(entry.guid).slice(0, maxLength.rejected),
  }
}

/** No section has more articles. */
const maxBodies = 200

function newestEntries(entries: Entry[]): Set<Entry> {
  if (entries.length <= maxBodies) return new Set(entries)
  const dated = entries.map((entry) => ({
    entry,
    at: firstResult(entry.published, readDate) ?? firstResult(entry.updated, readDate) ?? '',
  }))
  const latest = dated.toSorted((one, other) => (one.at < other.at ? 1 : one.at > other.at ? -1 : 0))
  return new Set(latest.slice(0, maxBodies).map(({ entry }) => entry))
}

type BodyContext = { clean: BodyCleaner; base: string; bases: string[] }

/**
 * The longest text of the entry, or null if it only repeats the summary. The base of its links is xml:base, else the
 * article's address.
 */
function articleBody(entry: Entry, { url, summary }: NewArticle, { clean, base, bases }: BodyContext): Body | null {
  const [longestBody] = entry.bodies.toSorted((one, other) => other.text.value.length - one.text.value.length)
  if (!longestBody) return null
  const entryBases = [...entry.bases, longestBody.base].filter((step) => step !== '')
  const body = clean(longestBody.text, resolveBase(entryBases, bases.length + entryBases.length > 0 ? base : url))
  const words = body ? plainText({ value: body.html, kind: 'html' }, maxSummaryLength * 2) : ''
  const hasSummary = entry.bodies.some(({ own, text }) => !own && text.value !== '')
  const isSummary = longestBody.own ? hasSummary && words === summary : words.length <= maxSummaryLength
  return isSummary ? null : body
}

/**
 * Makes identities unique within the feed. Articles with the same guid but different links, or the same link but different
 * titles, all get the difference in their identity, so that it does not depend on their order.
 */
function withUniqueIdentities(read: NewArticle[], rejected: Rejected[]): NewArticle[] {
  if (new Set(read.map(({ identity }) => identity)).size === read.length) return read
  const urls = distinctValues(
    read,
    ({ identity }) => identity,
    ({ url }) => url,
  )
  const titles = distinctValues(
    read,
    ({ identity, url }) => sharedIdentity(identity, { url }),
    ({ title }) => title,
  )
  const articles = new Map<string, NewArticle>()
  for (const article of read) {
    const { identity: bare, url, title } = article
    const byUrl = hasSeveral(urls, bare) ? { url } : {}
    const byTitle = hasSeveral(titles, sharedIdentity(bare, { url })) ? { title } : {}
    const identity = sharedIdentity(bare, { ...byUrl, ...byTitle })
    if (articles.has(identity))
      rejected.push({
        reason: { code: 'duplicate-entry' },
        title,
        link: url.slice(0, maxLength.rejected),
        guid: bare.slice(0, maxLength.rejected),
      })
    else articles.set(identity, identity === bare ? article : { ...article, identity, bare })
  }
  return [...articles.values()]
}

type DistinctValues = Map<string, Set<string>>

function distinctValues(
  read: NewArticle[],
  key: (article: NewArticle) => string,
  value: (article: NewArticle) => string,
): DistinctValues {
  const found: DistinctValues = new Map()
  for (const article of read) {
    const values = found.get(key(article))
    if (values) values.add(value(article))
    else found.set(key(article), new Set([value(article)]))
  }
  return found
}

function hasSeveral(found: DistinctValues, key: string): boolean {
  return (found.get(key)?.size ?? 0) > 1
}

function isEmpty(entry: Entry): boolean {
  const { guid, author, categories, published, updated, images, video } = entry
  return (
    !guid.trim() && !author && !categories.length && !published.length && !updated.length && !images.length && !video
  )
}

/** The first result that is not empty. */
function firstResult<From, To>(candidates: From[], read: (candidate: From) => To | null): To | null {
  for (const candidate of candidates) {
    const value = read(candidate)
    if (value) return value
  }
  return null
}

function imageOf(entry: Entry, base: string): Image | null {
  for (const { url, width, height, alt } of entry.images) {
    const address = httpUrl(url, base)
    if (address)
      return {
        url: address,
        width: parsePixels(width),
        height: parsePixels(height),
        alt: shortText({ value: alt, kind: 'perhaps-html' }, maxLength.pictureText),
      }
  }
  return firstPicture(entry.html, base)
}

function videoOf({ video }: Entry, base: string): Video | null {
  const url = video ? httpUrl(video.url, base) : null
  return video && url ? { url, seconds: parseDurationSeconds(video.duration) } : null
}
