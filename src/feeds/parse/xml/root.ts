import { firstWords } from '../../markup/sentences.ts'
import { plainText } from '../../markup/text.ts'
import { type Attributes, Tokeniser } from '../../markup/tokeniser.ts'
import type { NotAFeed } from '../feed.ts'
import { headTags } from '../page/head.ts'
import { type Format, localName } from './names.ts'

/** The feed's own element: what stands in it begins at `end`. */
export type Root = { format: Format; name: string; attributes: Attributes; isEmpty: boolean; end: number }

/** Finds the feed's own element after whatever stands before it, or says what this is instead. */
export function findRoot(text: string): Root | NotAFeed {
  const tokens = new Tokeniser(text, 'xml')
  const first = nextElement(tokens)
  const saysPage = pageType.test(text.slice(0, first?.start))
  if (!first && saysPage) return webPage(text)
  if (!first) return { failed: text.trim() === '' ? 'it is empty' : `it is text, not a feed: “${excerpt(text)}”` }
  const framed = insideFrame(tokens, first)
  const format = framed ? formats.get(localName(framed.name)) : undefined
  if (framed && format) return { ...framed, format }
  if (framed !== first || saysPage) return webPage(text)
  const entry = aloneEntries.get(localName(first.name))
  if (entry) return { ...entry, end: first.start }
  const inner = /<(?:[\w.-]{1,40}:)?(?:rss|feed|rdf)[\s>]/i.exec(text)
  const nested = inner ? nextElement(new Tokeniser(text, 'xml', inner.index)) : null
  const nestedFormat = nested ? formats.get(localName(nested.name)) : undefined
  if (nested && nestedFormat) return { ...nested, format: nestedFormat }
  if (pageNames.has(localName(first.name))) return webPage(text)
  const what = others.get(localName(first.name)) ?? `it is XML of another kind (<${first.name.slice(0, 60)}>)`
  return { failed: `${what}, not a feed` }
}

// Maps, for an element may well be called `constructor`.
const formats = new Map<string, Format>([
  ['rss', 'rss'],
  ['rdf', 'rss'],
  ['channel', 'rss'],
  ['feed', 'atom'],
])
// An entry that stands alone, RFC 4287 §2.
const aloneEntries = new Map<string, Omit<Root, 'end'>>([
  ['entry', { format: 'atom', name: 'feed', attributes: {}, isEmpty: false }],
  ['item', { format: 'rss', name: 'rss', attributes: {}, isEmpty: false }],
])
// A page without its frame, or what a broken server prints before the feed.
const pageNames = new Set('script meta title div p style center h1 link a b br svg'.split(' '))
const wholePages = new Set(['html', 'head', 'body'])
const pageType = /<!doctype\s+html/i
const others = new Map([
  ['opml', 'it is a list of feeds (OPML)'],
  ['urlset', 'it is a site map'],
  ['sitemapindex', 'it is a site map'],
  ['error', 'it is an error message'],
])

type Element = Omit<Root, 'format'> & { start: number }

/** The first element that is no frame of a page: some servers put one around their feeds. */
function insideFrame(tokens: Tokeniser, first: Element): Element | null {
  let element: Element | null = first
  while (element && wholePages.has(localName(element.name))) element = nextElement(tokens)
  return element
}

function nextElement(tokens: Tokeniser): Element | null {
  for (let token = tokens.next(); token; token = tokens.next()) {
    if (token.kind !== 'open') continue
    const { name, start, end } = token
    const isEmpty = closedAtOnce.test(tokens.text.slice(Math.max(start, end - 300), end))
    return { name, attributes: tokens.attributes(token), isEmpty, start, end }
  }
  return null
}

/** Not `xmlns="http://www.w3.org/2005/Atom/>`, which lacks a quote. */
const closedAtOnce = /(?:["'\s]|^<[^\s"']+)\/>$/

function webPage(text: string): NotAFeed {
  const title = [...headTags(text.slice(0, 100_000))].find(({ name }) => name === 'title')?.text.slice(0, 300)
  const words = title ? plainText({ value: title, kind: 'html' }) : ''
  return { failed: `this is a web page, not a feed${words ? ` (its title is “${firstWords(words)}”)` : ''}` }
}

function excerpt(text: string): string {
  return firstWords(plainText({ value: text.slice(0, 500), kind: 'text' }))
}
