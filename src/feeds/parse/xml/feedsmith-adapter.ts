import { maxLength, maxPerEntry } from '../../../config/field-limits.ts'
import { emptyRichText, type RichText, shortText } from '../../markup/text.ts'
import type { Entry, RawBody, RawFeed, RawImage } from '../entry.ts'
import { personName } from '../person-name.ts'
import { updateIntervalSeconds } from '../update-interval.ts'
import type { Normalised } from './normalise.ts'

type Around = Pick<Normalised, 'bases' | 'home' | 'language' | 'left' | 'cutOff'>

/** What feedsmith made of a document that rss-parser refused. Its types promise little, so this reads as little. */
export function readSpareFeed(feed: unknown, { bases, home, language, left, cutOff }: Around): RawFeed {
  const channel = record(feed)
  const { updatePeriod, updateFrequency } = record(channel.sy)
  const ttl = updateIntervalSeconds({
    minutes: string(channel.ttl),
    period: string(updatePeriod),
    frequency: string(updateFrequency),
  })
  const [author] = authorsOf(channel)
  return {
    title: rich(channel.title),
    sites: [...linksOf(channel), home].filter((link) => link !== ''),
    self: null,
    id: string(channel.id),
    bases,
    language: language ?? (string(channel.language) || null),
    ...(ttl !== null && { ttl }),
    author: author ?? '',
    entries: [channel.items, channel.entries].flatMap(allRecords).map(readItem),
    left,
    cutOff,
  }
}

type Loose = Record<string, unknown>

function readItem(item: Loose): Entry {
  const dc = record(item.dc)
  const encoded = record(item.content).encoded
  const body = bodyOf(encoded ?? item.content, true)
  const summary = bodyOf(item.description ?? item.summary, false)
  const guid = string(record(item.guid).value) || string(item.guid) || string(item.id)
  const html = [body, summary].map(({ text }) => text.value)
  return {
    guid,
    links: [...linksOf(item), /^https?:/.test(guid) ? guid : ''].filter((link) => link !== ''),
    bases: [string(record(item.xml).base)],
    title: rich(item.title),
    texts: [summary.text, body.text].filter(({ value }) => value !== ''),
    bodies: [body, summary],
    html: html.find((text) => text.includes('<img')) ?? '',
    author: authorsOf(item)[0] ?? '',
    categories: categoriesOf(item),
    published: [item.pubDate, item.published, dc.date, ...texts(dc.dates)].map(string).filter((date) => date !== ''),
    updated: [string(item.updated)].filter((date) => date !== ''),
    images: imagesOf(item),
    video: videoOf(item),
  }
}

function bodyOf(value: unknown, own: boolean): RawBody {
  return { text: rich(value), base: string(record(record(value).xml).base), own }
}

function authorsOf(holder: Loose): string[] {
  const dc = record(holder.dc)
  const named = [holder.authors, holder.author, record(holder.itunes).author].flat().slice(0, maxPerEntry)
  return [dc.creator, ...texts(dc.creators), ...named.map((author) => string(record(author).name) || author)]
    .map((author) => personName(string(author)))
    .filter((name) => name !== '')
}

function categoriesOf(item: Loose): string[] {
  const named = records(item.categories).map(({ label, name, term }) => string(label) || string(name) || string(term))
  return [...named, ...texts(record(item.dc).subjects).map(string)]
    .map((value) => shortText({ value, kind: 'perhaps-html' }, maxLength.category))
    .filter((name) => name !== '')
}

/** As with rss-parser: media:content, media:thumbnail, itunes:image, enclosure. */
function imagesOf(item: Loose): RawImage[] {
  const holders = mediaHolders(item)
  const contents = holders.flatMap(({ contents }) => records(contents))
  return [
    ...contents.filter(({ medium, type }) => medium === 'image' || string(type).startsWith('image/')),
    ...[...holders, ...contents].flatMap(({ thumbnails }) => records(thumbnails)),
    { url: record(item.itunes).image },
    ...enclosures(item).filter(({ type }) => string(type).startsWith('image/')),
  ]
    .map(({ url, width, height }) => ({ url: string(url), width: string(width), height: string(height), alt: '' }))
    .filter(({ url }) => url !== '')
}

function videoOf(item: Loose): Entry['video'] {
  const contents = mediaHolders(item).flatMap(({ contents }) => records(contents))
  const film = [...contents, ...enclosures(item)].find(
    ({ medium, type }) => medium === 'video' || string(type).startsWith('video/'),
  )
  return film
    ? { url: string(film.url), duration: string(film.duration) || string(record(item.itunes).duration) }
    : null
}

function mediaHolders(item: Loose): Loose[] {
  const media = record(item.media)
  return [media, record(media.group), ...records(media.groups)]
}

/** An enclosure of RSS, or a link of Atom that is one. */
function enclosures(item: Loose): Loose[] {
  const links = records(item.links).filter(({ rel }) => rel === 'enclosure')
  return [...records(item.enclosures), ...links.map((link) => ({ ...link, url: link.href }))]
}

function linksOf(holder: Loose): string[] {
  const alternates = records(holder.links).filter(({ rel }) => rel === undefined || rel === 'alternate')
  return [string(holder.link), ...alternates.map(({ href }) => string(href))].filter((link) => link !== '')
}

function rich(value: unknown): RichText {
  const text = string(value) || string(record(value).value)
  return text ? { value: text, kind: 'perhaps-html' } : emptyRichText
}

function allRecords(value: unknown): Loose[] {
  return Array.isArray(value) ? value.map(record) : []
}

function records(value: unknown): Loose[] {
  return texts(value).map(record)
}

function texts(value: unknown): unknown[] {
  return Array.isArray(value) ? value.slice(0, maxPerEntry) : []
}

function record(value: unknown): Loose {
  return typeof value === 'object' && value !== null ? (value as Loose) : {}
}

function string(value: unknown): string {
  return typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : ''
}
