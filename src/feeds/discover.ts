import type { Fetched, Fetcher } from '../http/fetcher.ts'
import { httpUrl } from '../http/url.ts'
import type { Attributes } from './markup/tokeniser.ts'
import type { ParsedFeed } from './parse/feed.ts'
import { headTags } from './parse/page/head.ts'
import { parseFeed } from './parse/parse-feed.ts'
import { pageContext, readInWorker } from './parse/reader-pool.ts'

export type Discovered = {
  /** The address to write down: where it moved for good, if it did. */
  url: string
  feed: ParsedFeed
  /** Other feeds that the page names. */
  others: string[]
}

/** Where feeds stand whose page does not name them, in the folders of the page and of its site. */
const commonPaths = ['feed', 'rss', 'rss.xml', 'atom.xml', 'feed.xml', 'index.xml', 'feed.json']
const maxTriedLinks = 10
/** Feeds of one page that are looked at. */
const maxNamedFeeds = 100
/** A page that does not let us in may have a feed that does. */
const accessDeniedStatuses = [401, 403, 405, 406]

/**
 * The feed at an address, or that of the page there: what its head and its header name, then the usual places. `failed`
 * says why there is none.
 */
export async function discoverFeed(
  fetcher: Pick<Fetcher, 'get'>,
  given: string,
): Promise<Discovered | { failed: string }> {
  const start = /^[a-z][a-z\d+.-]*:\/\//i.test(given) ? given : `https://${given}`
  const page = await fetcher.get(start, { accept: 'text/html, application/rss+xml, application/atom+xml, */*;q=0.5' })
  if (page.kind === 'unchanged') return { failed: 'it did not change' }
  if (page.kind === 'failed' && !accessDeniedStatuses.includes(page.status ?? 0)) return { failed: page.reason }
  const pageAsFeed = page.kind === 'ok' ? await parseFeed(page.bytes, pageContext(page)) : null
  if (page.kind === 'ok' && pageAsFeed && !('failed' in pageAsFeed))
    return { url: page.movedTo ?? start, feed: pageAsFeed, others: [] }
  const named = page.kind === 'ok' ? (await feedsNamedBy(page)).slice(0, maxTriedLinks) : []
  const folders = foldersOf(page.kind === 'ok' ? page.url : start)
  const commonUrls = folders.flatMap((folder) => commonPaths.map((place) => folder + place))
  for (const url of new Set([...named, ...commonUrls])) {
    const fetched = await fetcher.get(url)
    const feed = fetched.kind === 'ok' ? await parseFeed(fetched.bytes, pageContext(fetched)) : undefined
    if (fetched.kind !== 'ok' || !feed || 'failed' in feed) continue
    return { url: fetched.movedTo ?? url, feed, others: named.filter((other) => other !== url) }
  }
  const places = commonPaths.map((place) => `/${place}`).join(', ')
  const nowhere = `there is none at ${places}${folders.length > 1 ? `, below ${folders.join(' or ')}` : ''}`
  if (page.kind === 'failed') return { failed: `${page.reason}, and ${nowhere}` }
  const where = named.length > 0 ? `none of the ${named.length} that it names can be read` : 'it names none'
  return { failed: `there is no feed at ${page.url}: ${where}, and ${nowhere}` }
}

/** The folders on the way to a page, the nearest first: two deep at most, and that of the whole site. */
function foldersOf(pageUrl: string): string[] {
  const { origin, pathname } = new URL(pageUrl)
  const names = pathname
    .split('/')
    .filter((name, index, all) => name !== '' && !(index === all.length - 1 && /\./.test(name)))
  return [2, 1, 0]
    .filter((depth) => depth <= names.length)
    .map((depth) => [origin, ...names.slice(0, depth), ''].join('/'))
}

async function feedsNamedBy(page: Fetched & { kind: 'ok' }): Promise<string[]> {
  const inHead = await readInWorker('links', page.bytes, pageContext(page))
  return [...new Set([...('failed' in inHead ? [] : inHead), ...headerLinks(page.links, page.url)])]
}

/** The feeds that a Link header names: `</feed>; rel="alternate"; type="application/rss+xml"` (RFC 8288 §3). */
export function headerLinks(links: string, pageUrl: string): string[] {
  const found = links.slice(0, 8000).matchAll(/<([^<>]*)>((?:\s*;\s*[\w*-]+(?:\s*=\s*(?:"[^"]*"|[^",;\s]+))?)*)/g)
  return [...found].flatMap(([, target = '', parameters = '']) => {
    const given = parameters.matchAll(/;\s*([\w*-]+)\s*=\s*(?:"([^"]*)"|([^",;\s]+))/g)
    const attributes = Object.fromEntries(
      [...given].map(([, name = '', quoted, bare = '']) => [name.toLowerCase(), quoted ?? bare]),
    )
    const url = isFeedLink(attributes) ? httpUrl(target, pageUrl) : null
    return url ? [new URL(url).href] : []
  })
}

/** The feeds that a page names in its head (link rel=alternate), those of comments last. */
export function feedLinks(html: string, pageUrl: string): string[] {
  let base = pageUrl
  const found = new Map<string, boolean>()
  for (const { name, attributes } of headTags(html)) {
    const href = attributes.href ?? ''
    if (name === 'base') base = httpUrl(href, pageUrl) ?? base
    if (name !== 'link' || !isFeedLink(attributes)) continue
    const address = httpUrl(href, base)
    const url = address && new URL(address).href // as it is asked: it is shown, and stands in a job file
    const comments = /comment/i.test(`${href} ${attributes.title ?? ''}`)
    if (url && !found.has(url) && found.size < maxNamedFeeds) found.set(url, comments)
  }
  return [...found].toSorted(([, one], [, other]) => Number(one) - Number(other)).map(([url]) => url)
}

function isFeedLink({ rel = '', type = '' }: Attributes): boolean {
  const relations = rel.toLowerCase().split(/\s+/)
  if (relations.includes('feed')) return true
  return relations.includes('alternate') && /^application\/(?:rss\+xml|atom\+xml|rdf\+xml|feed\+json)/i.test(type)
}
