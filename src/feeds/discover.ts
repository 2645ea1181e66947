import { decodeText } from './decode.ts'
import type { ParsedFeed } from './feed.ts'
import type { Fetcher } from './fetch.ts'
import { headTags } from './head.ts'
import { parseFeed } from './parse.ts'
import { webAddress } from './url.ts'

export type Discovered = {
  /** The address to write down: where it moved for good, if it did. */
  url: string
  feed: ParsedFeed
  /** Other feeds that the page names. */
  others: string[]
}

/** Where feeds stand whose page does not name them. */
const usualPlaces = ['/feed', '/rss', '/rss.xml', '/atom.xml', '/feed.xml', '/index.xml', '/feed.json']
const mostLinks = 10

/** The feed at an address, or that of the page there: what its head names, then the usual places. `failed` says why there is none. */
export async function discoverFeed(
  fetcher: Pick<Fetcher, 'get'>,
  given: string,
): Promise<Discovered | { failed: string }> {
  const start = /^[a-z][a-z\d+.-]*:\/\//i.test(given) ? given : `https://${given}`
  const page = await fetcher.get(start, { accept: 'text/html, application/rss+xml, application/atom+xml, */*;q=0.5' })
  if (page.kind !== 'ok') return { failed: page.kind === 'failed' ? page.reason : 'it did not change' }
  const itself = await parseFeed(page.bytes, page)
  if (!('failed' in itself)) return { url: page.movedTo ?? start, feed: itself, others: [] }
  const named = feedLinks(decodeText(page.bytes, page.contentType), page.url).slice(0, mostLinks)
  const usual = usualPlaces.map((place) => new URL(place, page.url).href).filter((url) => !named.includes(url))
  for (const url of [...named, ...usual]) {
    const fetched = await fetcher.get(url)
    const feed = fetched.kind === 'ok' ? await parseFeed(fetched.bytes, fetched) : undefined
    if (fetched.kind !== 'ok' || !feed || 'failed' in feed) continue
    return { url: fetched.movedTo ?? url, feed, others: named.filter((other) => other !== url) }
  }
  const where = named.length > 0 ? `none of the ${named.length} that it names can be read` : 'it names none'
  return { failed: `there is no feed at ${page.url}: ${where}, and there is none at ${usualPlaces.join(', ')}` }
}

/** The feeds that a page names in its head (link rel=alternate), those of comments last. */
export function feedLinks(html: string, pageUrl: string): string[] {
  let base = pageUrl
  const found: { url: string; comments: boolean }[] = []
  for (const { name, attributes } of headTags(html)) {
    const href = attributes.get('href') ?? ''
    if (name === 'base') base = webAddress(href, pageUrl) ?? base
    if (name !== 'link' || !isFeedLink(attributes)) continue
    const address = webAddress(href, base)
    const url = address && new URL(address).href // as it is asked: it is shown, and stands in a job file
    const comments = /comment/i.test(`${href} ${attributes.get('title') ?? ''}`)
    if (url && !found.some((one) => one.url === url)) found.push({ url, comments })
  }
  return found.toSorted((one, other) => Number(one.comments) - Number(other.comments)).map(({ url }) => url)
}

function isFeedLink(attributes: Map<string, string>): boolean {
  const rel = (attributes.get('rel') ?? '').toLowerCase().split(/\s+/)
  const type = (attributes.get('type') ?? '').toLowerCase()
  if (rel.includes('feed')) return true
  return rel.includes('alternate') && /^application\/(?:rss\+xml|atom\+xml|rdf\+xml|feed\+json)/.test(type)
}
