import type { Entry, RawFeed } from './entry.ts'
import { nothing, type Rich } from './text.ts'

/** What feedsmith made of a document that rss-parser refused. Its types promise little, so this reads as little. */
export function readSpareFeed(feed: unknown): RawFeed {
  const channel = record(feed)
  const items = [channel.items, channel.entries].find(Array.isArray) ?? []
  return {
    title: rich(channel.title),
    sites: linksOf(channel),
    self: null,
    id: string(channel.id),
    bases: [],
    language: string(channel.language) || null,
    author: '',
    entries: items.map((item: unknown) => readItem(record(item))),
    left: 0,
    cutOff: false,
  }
}

type Loose = Record<string, unknown>

function readItem(item: Loose): Entry {
  const dc = record(item.dc)
  const body = rich(record(item.content).encoded ?? item.content)
  const summary = rich(item.description ?? item.summary)
  const guid = string(record(item.guid).value) || string(item.guid) || string(item.id)
  const authors = [item.authors, item.author].flat().map((author) => string(record(author).name) || string(author))
  return {
    guid,
    links: [...linksOf(item), /^https?:/.test(guid) ? guid : ''].filter((link) => link !== ''),
    bases: [],
    title: rich(item.title),
    texts: [summary, body].filter(({ value }) => value !== ''),
    bodies: [
      { text: body, base: '', own: true },
      { text: summary, base: '', own: false },
    ],
    html: body.value,
    author: [string(dc.creator), ...authors].find((name) => name !== '') ?? '',
    categories: [],
    published: [item.pubDate, item.published, dc.date].map(string).filter((date) => date !== ''),
    updated: [string(item.updated)].filter((date) => date !== ''),
    images: [],
    video: null,
  }
}

function linksOf(holder: Loose): string[] {
  const links = Array.isArray(holder.links) ? holder.links.map(record) : []
  const alternates = links.filter(({ rel }) => rel === undefined || rel === 'alternate')
  return [string(holder.link), ...alternates.map(({ href }) => string(href))].filter((link) => link !== '')
}

function rich(value: unknown): Rich {
  const text = string(value) || string(record(value).value)
  return text ? { value: text, kind: 'perhaps-html' } : nothing
}

function record(value: unknown): Loose {
  return typeof value === 'object' && value !== null ? (value as Loose) : {}
}

function string(value: unknown): string {
  return typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : ''
}
