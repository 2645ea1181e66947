import { firstWords } from '../../markup/sentences.ts'
import { plainText } from '../../markup/text.ts'
import { type Attributes, Tokeniser } from '../../markup/tokeniser.ts'
import type { NotAFeed } from '../feed.ts'
import { headTags } from '../page/head.ts'
import { type Format, localName } from './names.ts'

/** The root element of a feed; its content begins at `end`. */
export type Root = { format: Format; name: string; attributes: Attributes; isEmpty: boolean; end: number }

/** Finds the root element of the feed, after any text before it; or the reason why this is not a feed. */
export function findRoot(text: string): Root | NotAFeed {
  const tokens = new Tokeniser(text, 'xml')
  const first = nextElement(tokens)
  const isPage = pageType.test(text.slice(0, first?.start))
  if (!first && isPage) return webPage(text)
  if (!first) return { failed: text.trim() === '' ? 'it is empty' : `it is text, not a feed: “${excerpt(text)}”` }
  const framed = insideFrame(tokens, first)
  const root = toRoot(framed)
  if (root) return root
  return framed !== first || isPage
    ? webPage(text)
    : (rootAround(first) ?? rootInside(text) ?? otherDocument(text, first))
}

function toRoot(element: Element | null): Root | null {
  const format = element ? formats.get(localName(element.name)) : undefined
  return element && format ? { ...element, format } : null
}

/** The root that is missing around an entry. */
function rootAround({ name, start }: Element): Root | null {
  const root = entryRoots.get(localName(name))
  return root ? { ...root, end: start } : null
}

function rootInside(text: string): Root | null {
  const found = /<(?:[\w.-]{1,40}:)?(?:rss|feed|rdf)[\s>]/i.exec(text)
  return found && toRoot(nextElement(new Tokeniser(text, 'xml', found.index)))
}

function otherDocument(text: string, { name }: Element): NotAFeed {
  if (pageNames.has(localName(name))) return webPage(text)
  const what = otherDocuments.get(localName(name)) ?? `it is XML of another kind (<${name.slice(0, 60)}>)`
  return { failed: `${what}, not a feed` }
}

// Maps, because an element may be called `constructor`.
const formats = new Map<string, Format>([
  ['rss', 'rss'],
  ['rdf', 'rss'],
  ['channel', 'rss'],
  ['feed', 'atom'],
])
// A document that is one entry (RFC 4287 §2).
const entryRoots = new Map<string, Omit<Root, 'end'>>([
  ['entry', { format: 'atom', name: 'feed', attributes: {}, isEmpty: false }],
  ['item', { format: 'rss', name: 'rss', attributes: {}, isEmpty: false }],
])
// A page without <html>, or the output of a broken server before the feed.
const pageNames = new Set('script meta title div p style center h1 link a b br svg'.split(' '))
const wholePages = new Set(['html', 'head', 'body'])
const pageType = /<!doctype\s+html/i
const otherDocuments = new Map([
  ['opml', 'it is a list of feeds (OPML)'],
  ['urlset', 'it is a site map'],
  ['sitemapindex', 'it is a site map'],
  ['error', 'it is an error message'],
])

type Element = Omit<Root, 'format'> & { start: number }

/** The first element inside <html>, <head> and <body>, which some servers put around their feeds. */
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

/** Not `xmlns="http://www.w3.org/2005/Atom/>`, where the closing quote is missing. */
const closedAtOnce = /(?:["'\s]|^<[^\s"']+)\/>$/

function webPage(text: string): NotAFeed {
  const title = [...headTags(text.slice(0, 100_000))].find(({ name }) => name === 'title')?.text.slice(0, 300)
  const words = title ? plainText({ value: title, kind: 'html' }) : ''
  return { failed: `this is a web page, not a feed${words ? ` (its title is “${firstWords(words)}”)` : ''}` }
}

function excerpt(text: string): string {
  return firstWords(plainText({ value: text.slice(0, 500), kind: 'text' }))
}
