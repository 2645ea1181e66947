import { maximumEntries, maxLength, maxPerEntry } from '../../config/field-limits.ts'
import { emptyRichText, type RichText, shortText } from '../markup/text.ts'
import { repairDoubleEncoding } from './double-encoding.ts'
import type { Entry, RawFeed } from './entry.ts'
import type { NotAFeed } from './feed.ts'
import { personName } from './person-name.ts'
import { isNestedDeeper, repairJson } from './repair-json.ts'

/** Reads JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1) tolerantly: any field may be missing or of another type. */
export function readJsonFeed(text: string): RawFeed | NotAFeed {
  if (isNestedDeeper(text, maximumDepth))
    return { failed: `it is JSON nested more than ${maximumDepth} deep, not a feed` }
  const feed = parseTolerantly(text)
  if (feed === undefined) return { failed: 'it is incomplete JSON' }
  if (!isRecord(feed) || !Array.isArray(feed.items)) return { failed: 'it is JSON without a list of items, not a feed' }
  const items = feed.items.filter(isRecord)
  return {
    title: { value: stringValue(feed.title), kind: 'text' },
    sites: [stringValue(feed.home_page_url)].filter((url) => url !== ''),
    self: stringValue(feed.feed_url) || null,
    id: '',
    bases: [],
    language: stringValue(feed.language) || null,
    author: authorOf(feed),
    entries: items.slice(0, maximumEntries).map((item) => readItem(item)),
    left: Math.max(0, items.length - maximumEntries),
    cutOff: false,
  }
}

/** A feed needs four levels. */
const maximumDepth = 100

type JsonObject = Record<string, unknown>

function readItem(item: JsonObject): Entry {
  const html = stringValue(item.content_html)
  const attachments = objectsIn(item.attachments)
  const video = attachments.find((attachment) => stringValue(attachment.mime_type).startsWith('video/'))
  const pictures = attachments.filter((attachment) => stringValue(attachment.mime_type).startsWith('image/'))
  const bodies: RichText[] = [toPlain(item.summary), toPlain(item.content_text), { value: html, kind: 'html' }]
  return {
    guid: stringValue(item.id),
    links: [
      stringValue(item.url),
      stringValue(item.id),
      stringValue(item.external_url),
      ...attachments.map(({ url }) => stringValue(url)),
    ].filter(looksLikeLink),
    bases: [],
    title: item.title ? toPlain(item.title) : emptyRichText,
    texts: bodies.filter(({ value }) => value !== ''),
    bodies: bodies.map((body, at) => ({ text: body, base: '', own: at > 0 })),
    author: authorOf(item),
    categories: Array.isArray(item.tags)
      ? item.tags
          .slice(0, maxPerEntry)
          .map(tagText)
          .filter((tag) => tag !== '')
      : [],
    published: [stringValue(item.date_published)].filter((date) => date !== ''),
    updated: [stringValue(item.date_modified)].filter((date) => date !== ''),
    images: [item.image, item.banner_image, ...pictures.map(({ url }) => url)]
      .map((url) => ({ url: stringValue(url), width: '', height: '', alt: '' }))
      .filter(({ url }) => url !== ''),
    video: video ? { url: stringValue(video.url), duration: stringValue(video.duration_in_seconds) } : null,
  }
}

function parseTolerantly(text: string): unknown {
  return parseOrUndefined(text) ?? (text.length <= maxRepairLength ? parseOrUndefined(repairJson(text)) : undefined)
}

/** In characters; the repair is slow. */
const maxRepairLength = 2 * 1024 * 1024

function parseOrUndefined(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function authorOf(holder: JsonObject): string {
  const people = Array.isArray(holder.authors) ? holder.authors : [holder.author]
  return people
    .slice(0, maxPerEntry)
    .filter(isRecord)
    .map(({ name }) => personName(stringValue(name)))
    .filter((name) => name !== '')
    .join('; ')
}

/** An id (the second candidate) is an address only if it begins with http: "12" is not a page. */
function looksLikeLink(value: string, index: number): boolean {
  return value !== '' && (index !== 1 || /^https?:/i.test(value))
}

function tagText(value: unknown): string {
  return shortText(toPlain(value), maxLength.category)
}

function toPlain(value: unknown): RichText {
  return { value: stringValue(value), kind: 'text' }
}

function stringValue(value: unknown): string {
  return typeof value === 'string'
    ? repairDoubleEncoding(value.slice(0, maxLength.rawText).replaceAll('\0', '').trim())
    : typeof value === 'number'
      ? String(value)
      : ''
}

function objectsIn(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.slice(0, maxPerEntry).filter(isRecord) : []
}

function isRecord(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
