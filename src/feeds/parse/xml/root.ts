import { firstWords } from '../../markup/sentences.ts'
import { plainText } from '../../markup/text.ts'
import { localName } from './names.ts'
import { type Find, rememberingFind } from './tags.ts'

/** Why something is not a feed, in words for an editor. */
export type NotAFeed = { failed: string }

export type Root = { format: 'rss' | 'atom'; name: string; tag: string; end: number }

/** Finds the feed's own element after whatever stands before it, or says what this is instead. */
export function findRoot(text: string): Root | NotAFeed {
  const find = rememberingFind(text)
  const first = firstElement(text, 0, find)
  const saysPage = pageType.test(text.slice(0, first?.start))
  if (!first && saysPage) return webPage(text)
  if (!first) return { failed: text.trim() === '' ? 'it is empty' : `it is text, not a feed: “${excerpt(text)}”` }
  const framed = insideFrame(text, first, find)
  const format = framed ? formats.get(localName(framed.name)) : undefined
  if (framed && format) return { ...framed, format }
  if (framed !== first || saysPage) return webPage(text)
  const entry = aloneEntries.get(localName(first.name))
  if (entry) return { ...entry, end: first.start }
  const inner = /<(?:[\w.-]{1,40}:)?(?:rss|feed|rdf)[\s>]/i.exec(text)
  const nested = inner ? firstElement(text, inner.index, rememberingFind(text)) : null
  const nestedFormat = nested ? formats.get(localName(nested.name)) : undefined
  if (nested && nestedFormat) return { ...nested, format: nestedFormat }
  if (pageNames.has(localName(first.name))) return webPage(text)
  const what = others.get(localName(first.name)) ?? `it is XML of another kind (<${first.name.slice(0, 60)}>)`
  return { failed: `${what}, not a feed` }
}

// Maps, for an element may well be called `constructor`.
const formats = new Map<string, Root['format']>([
  ['rss', 'rss'],
  ['rdf', 'rss'],
  ['channel', 'rss'],
  ['feed', 'atom'],
])
// An entry that stands alone, RFC 4287 §2.
const aloneEntries = new Map<string, Omit<Root, 'end'>>([
  ['entry', { format: 'atom', name: 'feed', tag: '' }],
  ['item', { format: 'rss', name: 'rss', tag: '' }],
])
// A page without its frame, or what a broken server prints before the feed.
const pageNames = new Set('script meta title div p style center h1 link a b br svg'.split(' '))
const wholePages = new Set(['html', 'head', 'body'])
/** Of the entities in a document type. */
const subsetEnd = /\]\s*>/g
const pageType = /<!doctype\s+html/i
const others = new Map([
  ['opml', 'it is a list of feeds (OPML)'],
  ['urlset', 'it is a site map'],
  ['sitemapindex', 'it is a site map'],
  ['error', 'it is an error message'],
])

type Element = { name: string; tag: string; start: number; end: number }

/** The first element that is no frame of a page: some servers put one around their feeds. */
function insideFrame(text: string, first: Element, find: Find): Element | null {
  let element: Element | null = first
  while (element && wholePages.has(localName(element.name))) element = firstElement(text, element.end, find)
  return element
}

function firstElement(text: string, from: number, find: Find): Element | null {
  let at = from
  while (true) {
    const open = text.indexOf('<', at)
    if (open < 0) return null
    const second = text[open + 1] ?? ''
    const end = second === '!' || second === '?' ? endOfProlog(text, open, find) : -1
    if (end >= 0) at = end
    else if (/[a-z_]/i.test(second)) {
      const close = find('>', open)
      if (close < 0) return null
      const tag = text.slice(open, close + 1)
      const name = /^<([^\s/>]{1,200})/.exec(tag)?.[1] ?? ''
      return { name, tag: tag.slice(0, 20_000), start: open, end: close + 1 }
    } else at = open + 1
  }
}

/** Past a comment, a processing instruction, or a document type with its own entities, which are never read. */
function endOfProlog(text: string, open: number, find: Find): number {
  if (text.startsWith('<!--', open)) return past(find, '-->', open)
  if (text[open + 1] === '?') return past(find, '?>', open)
  const end = past(find, '>', open)
  const subset = end < 0 ? -1 : text.slice(open, end).indexOf('[')
  if (subset < 0) return end
  const close = find(subsetEnd, open + subset)
  return close < 0 ? end : past(find, '>', close)
}

function past(find: Find, mark: string, from: number): number {
  const found = find(mark, from)
  return found < 0 ? -1 : found + mark.length
}

function webPage(text: string): NotAFeed {
  const title = /<title[^>]{0,200}>([^<]{1,300})/i.exec(text.slice(0, 100_000))?.[1]
  const words = title ? plainText({ value: title, kind: 'html' }) : ''
  return { failed: `this is a web page, not a feed${words ? ` (its title is “${firstWords(words)}”)` : ''}` }
}

function excerpt(text: string): string {
  return firstWords(plainText({ value: text.slice(0, 500), kind: 'text' }))
}
