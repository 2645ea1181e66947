import type { PageFacts } from '../store/pages.ts'
import { headTags } from './head.ts'
import { longest } from './longest.ts'
import { numberOf } from './media.ts'
import { shortText, summaryText } from './text.ts'
import { webAddress } from './url.ts'

/**
 * What an article's own page says of it: Open Graph first, then structured data (JSON-LD), then the plain meta elements;
 * for the author structured data first, since Open Graph has only addresses there.
 */
export function readPage(html: string, url: string): PageFacts {
  const { metas, articles, canonical } = headOf(html)
  const meta = (...keys: string[]) => keys.map((key) => metas.get(key) ?? '')
  const data = articles[0] ?? {}
  return {
    summary: firstText([
      ...meta('og:description'),
      string(data.description),
      ...meta('description', 'twitter:description'),
    ]),
    author: authorOf([namesOf(data.author), ...meta('author', 'article:author')]),
    image: imageOf(metas, data, url),
    canonical: address(canonical, url) ?? address(metas.get('og:url') ?? '', url),
  }
}

/** Of each meta element the first that says something, the articles of the first script that has any, rel="canonical". */
export function headOf(html: string): { metas: Map<string, string>; articles: Json[]; canonical: string } {
  const metas = new Map<string, string>()
  const articles: Json[] = []
  let canonical = ''
  for (const { name, attributes, text } of headTags(html)) {
    if (name === 'meta') {
      const key = (attributes.get('property') ?? attributes.get('name') ?? '').toLowerCase()
      const content = attributes.get('content') ?? ''
      if (key !== '' && content !== '' && !metas.has(key)) metas.set(key, content)
    } else if (name === 'link' && attributes.get('rel')?.toLowerCase().split(/\s+/).includes('canonical'))
      canonical ||= attributes.get('href') ?? ''
    else if (name === 'script' && articles.length === 0) articles.push(...articlesIn(text))
  }
  return { metas, articles, canonical }
}

export type Json = Record<string, unknown>

const maximumScript = 256 * 1024
const articleTypes = /^(?:\w*Article|BlogPosting|\w*NewsArticle|Report|VideoObject|LiveBlogPosting)$/

/** The things in structured data that are articles: the thing itself, a list of them, or a graph. */
function articlesIn(script: string): Json[] {
  try {
    if (script.length > maximumScript) return []
    const data: unknown = JSON.parse(script)
    const things = records(data).flatMap((thing) => [thing, ...records(thing['@graph'])])
    return things.filter((thing) => [thing['@type']].flat().some((type) => articleTypes.test(string(type))))
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
  const names = candidates.map((value) => shortText({ value, kind: 'perhaps-html' }, longest.person))
  return names.find((name) => name !== '' && !/^(?:https?:|@|www\.)/i.test(name)) ?? ''
}

function namesOf(author: unknown): string {
  const names = [author].flat().map((one) => string(one) || string(records(one)[0]?.name))
  return names.filter((name) => name !== '').join(', ')
}

function imageOf(metas: Map<string, string>, data: Json, base: string): PageFacts['image'] {
  const shared = metas.get('og:image:secure_url') ?? metas.get('og:image:url') ?? metas.get('og:image') ?? ''
  const url = address(shared, base)
  const size = (name: string) => numberOf(metas.get(`og:image:${name}`) ?? '')
  const alt = shortText({ value: metas.get('og:image:alt') ?? '', kind: 'text' }, longest.pictureText)
  if (url) return { url, width: size('width'), height: size('height'), alt }
  const others = [...[data.image].flat().map((one) => string(one) || string(records(one)[0]?.url))]
  for (const other of [...others, string(data.thumbnailUrl), metas.get('twitter:image') ?? '']) {
    const found = address(other, base)
    if (found) return { url: found, width: null, height: null, alt: '' }
  }
  return null
}

function address(text: string, base: string): string | null {
  const url = text === '' ? null : webAddress(text, base)
  const asked = url === null ? null : (URL.parse(url)?.href ?? null)
  return asked !== null && asked.length <= longest.address ? asked : null
}

export function records(value: unknown): Json[] {
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list.filter((one): one is Json => typeof one === 'object' && one !== null && !Array.isArray(one))
}

export function string(value: unknown): string {
  return typeof value === 'string' ? value.trim() : ''
}
