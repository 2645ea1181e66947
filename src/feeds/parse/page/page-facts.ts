import { maxLength } from '../../../config/field-limits.ts'
import { httpUrl } from '../../../http/url.ts'
import type { PageFacts } from '../../../store/articles/article.ts'
import { shortText, summaryText } from '../../markup/text.ts'
import { parsePixels } from '../media.ts'
import { headTags } from './head.ts'

/**
 * What an article's own page says of it: Open Graph first, then structured data (JSON-LD), then the plain meta elements;
 * for the author structured data first, since Open Graph has only addresses there.
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

/** Of each meta element the first that says something, the articles of the first script that has any, rel="canonical". */
export function readHead(html: string): { metas: Map<string, string>; articles: JsonObject[]; canonical: string } {
  const metas = new Map<string, string>()
  const articles: JsonObject[] = []
  let canonical = ''
  for (const { name, attributes, text } of headTags(html)) {
    if (name === 'meta') {
      const key = (attributes.property ?? attributes.name ?? '').toLowerCase()
      const content = attributes.content ?? ''
      if (key !== '' && content !== '' && !metas.has(key)) metas.set(key, content)
    } else if (name === 'link' && attributes.rel?.toLowerCase().split(/\s+/).includes('canonical'))
      canonical ||= attributes.href ?? ''
    else if (name === 'script' && articles.length === 0) articles.push(...articlesIn(text))
  }
  return { metas, articles, canonical }
}

export type JsonObject = Record<string, unknown>

const maxScriptLength = 256 * 1024
const articleTypes = /^(?:\w*Article|BlogPosting|\w*NewsArticle|Report|VideoObject|LiveBlogPosting)$/

/** The things in structured data that are articles: the thing itself, a list of them, or a graph. */
function articlesIn(script: string): JsonObject[] {
  try {
    if (script.length > maxScriptLength) return []
    const data: unknown = JSON.parse(script)
    const things = jsonObjects(data).flatMap((thing) => [thing, ...jsonObjects(thing['@graph'])])
    return things.filter((thing) => [thing['@type']].flat().some((type) => articleTypes.test(stringValue(type))))
  } catch {
    return [] // half of the web cannot write it
  }
}

function firstText(candidates: string[]): string {
  for (const value of candidates) {
    const text = summaryText({ value, kind: 'perhaps-html' })
    if (text !== '') return text
  }
  return ''
}

/** A name, and not the address of a profile. */
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
  if (url) return { url, width: size('width'), height: size('height'), alt }
  const otherUrls = [...[data.image].flat().map((one) => stringValue(one) || stringValue(jsonObjects(one)[0]?.url))]
  for (const other of [...otherUrls, stringValue(data.thumbnailUrl), metas.get('twitter:image') ?? '']) {
    const found = acceptedUrl(other, base)
    if (found) return { url: found, width: null, height: null, alt: '' }
  }
  return null
}

function acceptedUrl(text: string, base: string): string | null {
  const url = text === '' ? null : httpUrl(text, base)
  const asked = url === null ? null : (URL.parse(url)?.href ?? null)
  return asked !== null && asked.length <= maxLength.address ? asked : null
}

export function jsonObjects(value: unknown): JsonObject[] {
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list.filter((one): one is JsonObject => typeof one === 'object' && one !== null && !Array.isArray(one))
}

export function stringValue(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}
