import { httpUrl } from '../../../http/url.ts'
import type { Attributes } from '../../markup/tokeniser.ts'
import { headTags } from './head.ts'

const maxFeedLinks = 100

/** The feeds in the head of a page (`link rel="alternate"`) as absolute URLs, comment feeds last. */
export function feedLinks(html: string, pageUrl: string): string[] {
  let base = pageUrl
  const isCommentFeed = new Map<string, boolean>()
  for (const { name, attributes } of headTags(html)) {
    const href = attributes.href ?? ''
    if (name === 'base') base = httpUrl(href, pageUrl) ?? base
    if (name !== 'link' || !isFeedLink(attributes)) continue
    const url = normalisedUrl(href, base)
    if (url && !isCommentFeed.has(url) && isCommentFeed.size < maxFeedLinks)
      isCommentFeed.set(url, /comment/i.test(`${href} ${attributes.title ?? ''}`))
  }
  return [...isCommentFeed].toSorted(([, one], [, other]) => Number(one) - Number(other)).map(([url]) => url)
}

/** The feeds in a Link header: `</feed>; rel="alternate"; type="application/rss+xml"` (RFC 8288 §3). */
export function headerLinks(links: string, pageUrl: string): string[] {
  const found = links.slice(0, 8000).matchAll(/<([^<>]*)>((?:\s*;\s*[\w*-]+(?:\s*=\s*(?:"[^"]*"|[^",;\s]+))?)*)/g)
  return [...found].flatMap(([, target = '', parameters = '']) => {
    const pairs = parameters.matchAll(/;\s*([\w*-]+)\s*=\s*(?:"([^"]*)"|([^",;\s]+))/g)
    const attributes = Object.fromEntries(
      [...pairs].map(([, name = '', quoted, bare = '']) => [name.toLowerCase(), quoted ?? bare]),
    )
    return isFeedLink(attributes) ? (normalisedUrl(target, pageUrl) ?? []) : []
  })
}

/** As it is requested, because a person sees it and copies it into a job file. */
function normalisedUrl(href: string, base: string): string | null {
  const url = httpUrl(href, base)
  return url && new URL(url).href
}

function isFeedLink({ rel = '', type = '' }: Attributes): boolean {
  const relations = rel.toLowerCase().split(/\s+/)
  if (relations.includes('feed')) return true
  return relations.includes('alternate') && /^application\/(?:rss\+xml|atom\+xml|rdf\+xml|feed\+json)/i.test(type)
}
