import { maxLength } from '../../../config/field-limits.ts'
import { httpUrl } from '../../../http/url.ts'
import type { PageFacts } from '../../../store/articles/article.ts'
import { summaryText } from '../../markup/summary.ts'
import { shortText } from '../../markup/text.ts'
import type { Attributes } from '../../markup/tokeniser.ts'
import { firstResult } from '../article/first-result.ts'
import { parsePixels } from '../media.ts'
import { kindOf } from '../pictures/rules.ts'
import { headTags } from './head.ts'

/**
 * The metadata of an article's page: Open Graph first, then structured data (JSON-LD), then other meta elements; for the
 * author structured data first, because Open Graph has only URLs there.
 */
export function readPageFacts(html: string, url: string): PageFacts {
  const { metas, articles, canonical } = readHead(html)
  const meta = (...keys: string[]) => keys.map((key) => metas.get(key) ?? '')
  const data = articles[0] ?? {}
  return {
    summary: firstText([
      ...meta('og:description'),
      stringValue(data.description),
      ...meta('description', 'twitter:description'),
    ]),
    author: authorOf([authorNames(data.author), ...meta('author', 'article:author')]),
    image: imageOf(metas, data, url),
    canonical: acceptedUrl(canonical, url) ?? acceptedUrl(metas.get('og:url') ?? '', url),
  }
}

type PageHead = { metas: Map<string, string>; articles: JsonObject[]; canonical: string }

/** The first non-empty value of each meta element, the first script's articles in structured data, and rel="canonical". */
export function readHead(html: string): PageHead {
  const head: PageHead = { metas: new Map(), articles: [], canonical: '' }
  for (const { name, attributes, text } of headTags(html)) {
    if (name === 'meta') addMeta(head.metas, attributes)
    if (name === 'link' && isCanonical(attributes)) head.canonical ||= attributes.href ?? ''
    if (name === 'script' && head.articles.length === 0) head.articles = articlesIn(text)
  }
  return head
}

function addMeta(metas: PageHead['metas'], { property, name, content = '' }: Attributes): void {
  const key = (property ?? name ?? '').toLowerCase()
  if (key !== '' && content !== '' && !metas.has(key)) metas.set(key, content)
}

function isCanonical({ rel = '' }: Attributes): boolean {
  return rel.toLowerCase().split(/\s+/).includes('canonical')
}

export type JsonObject = Record<string, unknown>

const maxScriptLength = 256 * 1024
const articleTypes = /^(?:\w*Article|BlogPosting|\w*NewsArticle|Report|VideoObject|LiveBlogPosting)$/

/** The articles in structured data, which is one thing, a list or a graph. */
function articlesIn(script: string): JsonObject[] {
  try {
    if (script.length > maxScriptLength) return []
    const data: unknown = JSON.parse(script)
    const things = jsonObjects(data).flatMap((thing) => [thing, ...jsonObjects(thing['@graph'])])
    return things.filter((thing) => [thing['@type']].flat().some((type) => articleTypes.test(stringValue(type))))
  } catch {
    return [] // many pages have broken JSON
  }
}

function firstText(candidates: string[]): string {
  return firstResult(candidates, (value) => summaryText({ value, kind: 'perhaps-html' })) ?? ''
}

/** The first that is a name and not the URL of a profile. */
function authorOf(candidates: string[]): string {
  const names = candidates.map((value) => shortText({ value, kind: 'perhaps-html' }, maxLength.person))
  return names.find((name) => name !== '' && !/^(?:https?:|@|www\.)/i.test(name)) ?? ''
}

function authorNames(author: unknown): string {
  const names = [author].flat().map((one) => stringValue(one) || stringValue(jsonObjects(one)[0]?.name))
  return names.filter((name) => name !== '').join(', ')
}

function imageOf(metas: Map<string, string>, data: JsonObject, base: string): PageFacts['image'] {
  const shared = metas.get('og:image:secure_url') ?? metas.get('og:image:url') ?? metas.get('og:image') ?? ''
  const url = acceptedUrl(shared, base)
  const size = (name: string) => parsePixels(metas.get(`og:image:${name}`) ?? '')
  const alt = shortText({ value: metas.get('og:image:alt') ?? '', kind: 'text' }, maxLength.pictureText)
  const image = url && { url, width: size('width'), height: size('height'), alt }
  if (image && kindOf(image) === 'picture') return image
  const otherUrls = [data.image].flat().map((one) => stringValue(one) || stringValue(jsonObjects(one)[0]?.url))
  for (const other of [...otherUrls, stringValue(data.thumbnailUrl), metas.get('twitter:image') ?? '']) {
    const found = acceptedUrl(other, base)
    if (found && kindOf({ url: found, width: null, height: null }) === 'picture')
      return { url: found, width: null, height: null, alt: '' }
  }
  return null
}

function acceptedUrl(text: string, base: string): string | null {
  const url = text === '' ? null : httpUrl(text, base)
  const href = url === null ? null : (URL.parse(url)?.href ?? null)
  return href !== null && href.length <= maxLength.address ? href : null
}

export function jsonObjects(value: unknown): JsonObject[] {
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list.filter((one): one is JsonObject => typeof one === 'object' && one !== null && !Array.isArray(one))
}

export function stringValue(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}
