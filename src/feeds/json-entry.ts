import { readAgain } from './encoded-twice.ts'
import type { Entry, RawFeed } from './entry.ts'
import { longest, mostPerEntry } from './longest.ts'
import { isNestedDeeper, mendJson } from './mend-json.ts'
import { personName } from './person-name.ts'
import type { NotAFeed } from './root.ts'
import { maximumEntries } from './scan.ts'
import { nothing, type Rich, shortText } from './text.ts'

/** JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1), read as it comes: any field may be missing or of another type. */
export function readJsonFeed(text: string): RawFeed | NotAFeed {
  if (isNestedDeeper(text, maximumDepth))
    return { failed: `it is JSON nested more than ${maximumDepth} deep, not a feed` }
  const feed = parse(text)
  if (feed === undefined) return { failed: 'it is JSON that is not whole' }
  if (!isRecord(feed) || !Array.isArray(feed.items)) return { failed: 'it is JSON without a list of items, not a feed' }
  const items = feed.items.filter(isRecord)
  return {
    title: { value: string(feed.title), kind: 'text' },
    sites: [string(feed.home_page_url)].filter((url) => url !== ''),
    self: string(feed.feed_url) || null,
    id: '',
    bases: [],
    language: string(feed.language) || null,
    author: authorOf(feed),
    entries: items.slice(0, maximumEntries).map((item) => readItem(item)),
    left: Math.max(0, items.length - maximumEntries),
    cutOff: false,
  }
}

/** A feed needs four levels; each takes memory. */
const maximumDepth = 100

type Json = Record<string, unknown>

function readItem(item: Json): Entry {
  const html = string(item.content_html)
  const attachments = records(item.attachments)
  const film = attachments.find((attachment) => string(attachment.mime_type).startsWith('video/'))
  const pictures = attachments.filter((attachment) => string(attachment.mime_type).startsWith('image/'))
  const bodies: Rich[] = [text(item.summary), text(item.content_text), { value: html, kind: 'html' }]
  return {
    guid: string(item.id),
    links: [
      string(item.url),
      string(item.id),
      string(item.external_url),
      ...attachments.map(({ url }) => string(url)),
    ].filter(looksLikeLink),
    bases: [],
    title: item.title ? text(item.title) : nothing,
    texts: bodies.filter(({ value }) => value !== ''),
    bodies: bodies.map((body, at) => ({ text: body, base: '', own: at > 0 })),
    html,
    author: authorOf(item),
    categories: Array.isArray(item.tags)
      ? item.tags
          .slice(0, mostPerEntry)
          .map(tagText)
          .filter((tag) => tag !== '')
      : [],
    published: [string(item.date_published)].filter((date) => date !== ''),
    updated: [string(item.date_modified)].filter((date) => date !== ''),
    images: [item.image, item.banner_image, ...pictures.map(({ url }) => url)]
      .map((url) => ({ url: string(url), width: '', height: '', alt: '' }))
      .filter(({ url }) => url !== ''),
    video: film ? { url: string(film.url), duration: string(film.duration_in_seconds) } : null,
  }
}

function parse(text: string): unknown {
  return parsed(text) ?? (text.length <= longestToMend ? parsed(mendJson(text)) : undefined)
}

/** Mending takes a pass character by character. */
const longestToMend = 2 * 1024 * 1024

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function authorOf(holder: Json): string {
  const people = Array.isArray(holder.authors) ? holder.authors : [holder.author]
  return people
    .slice(0, mostPerEntry)
    .filter(isRecord)
    .map(({ name }) => personName(string(name)))
    .filter((name) => name !== '')
    .join(', ')
}

/** An id is an address only if it says so itself: "12" is not a page of the site. */
function looksLikeLink(value: string, index: number): boolean {
  return value !== '' && (index !== 1 || /^https?:/i.test(value))
}

function tagText(value: unknown): string {
  return shortText(text(value), longest.category)
}

function text(value: unknown): Rich {
  return { value: string(value), kind: 'text' }
}

function string(value: unknown): string {
  return typeof value === 'string'
    ? readAgain(value.slice(0, longest.rawText).replaceAll('\0', '').trim())
    : typeof value === 'number'
      ? String(value)
      : ''
}

function records(value: unknown): Json[] {
  return Array.isArray(value) ? value.slice(0, mostPerEntry).filter(isRecord) : []
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
