import { maxLength } from '../../../config/field-limits.ts'
import { isMarkup } from '../../markup/html-guess.ts'
import { emptyRichText, type RichText, shortText } from '../../markup/text.ts'
import type { Entry, RawBody, RawFeed } from '../entry.ts'
import { personName } from '../person-name.ts'
import { updateIntervalSeconds } from '../update-interval.ts'
import { attribute, children, childTexts, type XmlNode } from './node.ts'
import type { FeedTree } from './tree.ts'
import { type EntryMedia, entryMedia, imagesOf, mediaTitles, videoOf } from './xml-media.ts'

/** RSS, RDF and Atom elements, with the names of names.ts, as a feed in one shape. */
export function readXmlFeed(feed: XmlNode, document: FeedTree): RawFeed {
  const isAtom = document.format === 'atom'
  const links = linksOf(feed)
  const ttl = updateIntervalSeconds({
    minutes: childTexts(feed, 'f:ttl')[0] ?? '',
    period: childTexts(feed, 'sy:updateperiod')[0] ?? '',
    frequency: childTexts(feed, 'sy:updatefrequency')[0] ?? '',
  })
  return {
    title: firstNonEmptyText(children(feed, 'f:title', 'dc:title'), isAtom),
    sites: [...siteLinks(links), document.home].filter((href) => href !== ''),
    self: links.find((link) => link.rel === 'self')?.href ?? null,
    id: childTexts(feed, 'f:id')[0] ?? '',
    bases: document.bases,
    language: document.language ?? childTexts(feed, 'f:language', 'dc:language')[0] ?? null,
    ...(ttl !== null && { ttl }),
    author: isAtom ? authorOf(feed) : '',
    entries: entryNodes(feed).map((node) => readEntry(node, isAtom)),
    left: document.left,
    cutOff: document.cutOff,
    ...(document.unclosed && { unclosed: true }),
  }
}

/** All entries in document order, nested ones too. Without recursion, because the feed decides the depth. */
function entryNodes(feed: XmlNode): XmlNode[] {
  const found: XmlNode[] = []
  const waiting = entriesIn(feed).reverse()
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    found.push(node)
    for (const inner of entriesIn(node).reverse()) waiting.push(inner)
  }
  return found
}

function entriesIn(node: XmlNode): XmlNode[] {
  return [...(node.children.item ?? []), ...(node.children.entry ?? [])]
}

function readEntry(node: XmlNode, isAtom: boolean): Entry {
  const media = entryMedia(node)
  const whole = children(node, ...wholeTexts).map((child) => bodyOf(child, isAtom, true))
  const summaries = children(node, ...summaryTexts).map((child) => bodyOf(child, isAtom, false))
  const bodies = [...whole, ...summaries]
  const [link] = children(node, 'f:link')
  return {
    ...addressesOf(node),
    bases: [attribute(node, 'xml:base'), attribute(link, 'xml:base')],
    title: titleOf(media, isAtom),
    texts: [...[...summaries, ...whole].map(({ text }) => text), ...mediaTexts(media)],
    bodies,
    author: authorOf(node),
    categories: categoriesOf(node),
    published: childTexts(node, ...publicationDates),
    updated: [...childTexts(node, ...changeDates), attribute(node, 'lastmod')].filter((date) => date !== ''),
    images: imagesOf(media),
    video: videoOf(media),
  }
}

const wholeTexts = ['f:encoded', 'f:content', 'atom:content', 'xhtml:body', 'f:body']
const summaryTexts = ['f:description', 'f:summary', 'atom:summary', 'f:abstract']
const publicationDates = [
  ...['f:pubdate', 'f:published', 'f:issued', 'atom:published', 'dcterms:issued', 'dc:date', 'f:created'],
  ...['dcterms:created', 'f:date'],
]
const changeDates = ['f:updated', 'f:modified', 'atom:updated', 'dcterms:modified', 'f:lastbuilddate']

function bodyOf(node: XmlNode, atom: boolean, own: boolean): RawBody {
  return { text: toRichText(node, atom), base: attribute(node, 'xml:base'), own }
}

/** The guid of an entry, and the candidates for its address. */
function addressesOf(node: XmlNode): Pick<Entry, 'guid' | 'links'> {
  const links = linksOf(node)
  const guidNode = children(node, 'f:guid', 'f:id', 'atom:id').find(({ text }) => text.trim() !== '')
  const guid = guidNode?.text.trim() ?? ''
  const about = attribute(node, 'rdf:about')
  const isPermalink = attribute(guidNode, 'ispermalink').toLowerCase() !== 'false'
  const permalinks = [isPermalink ? guid : '', about].filter((text) => /^https?:|^\/\w/i.test(text)) // "12" is no page of the site
  const enclosures = children(node, 'f:enclosure').map((child) => attribute(child, 'url') || attribute(child, 'href'))
  const contents = children(node, 'f:content', 'atom:content').map((child) => attribute(child, 'src')) // RFC 4287 §4.1.3.2
  const own = [...siteLinks(links), attribute(node, 'href'), ...permalinks]
  const found = [...own, ...contents.filter(isPage), ...otherLinks(links), ...enclosures]
  return { guid: guid || about, links: found.filter((link) => link !== '') }
}

function isPage(address: string): boolean {
  return !/\.(?:xml|rss|atom|rdf|json)(?:[?#]|$)/i.test(address)
}

function mediaTexts({ node, holders }: EntryMedia): RichText[] {
  const found = holders.flatMap((holder) =>
    children(holder, 'media:description', 'media:text', 'itunes:summary', 'itunes:subtitle'),
  )
  return [...found, ...children(node, 'dc:description')].map((child) => toRichText(child, false))
}

type Link = { href: string; rel: string; type: string }

function linksOf(node: XmlNode): Link[] {
  return children(node, 'f:link', 'atom:link', 'f:url').map((child) => ({
    href: attribute(child, 'href') || child.text.trim(),
    rel: attribute(child, 'rel').toLowerCase().replace('http://www.iana.org/assignments/relation/', '') || 'alternate',
    type: attribute(child, 'type').toLowerCase(),
  }))
}

/** The alternate links (RFC 4287 §4.2.7), pages before documents of other types. */
function siteLinks(links: Link[]): string[] {
  const alternates = links.filter((link) => link.rel === 'alternate' && link.href !== '')
  const pages = alternates.filter(({ type }) => type === '' || type.includes('html'))
  const others = alternates.filter(({ type }) => type !== '' && !type.includes('html'))
  return [...pages, ...others].map(({ href }) => href)
}

function otherLinks(links: Link[]): string[] {
  const rank = ['via', 'related', 'self', 'enclosure']
  const others = links.filter(({ rel }) => rank.includes(rel))
  return others.toSorted((one, other) => rank.indexOf(one.rel) - rank.indexOf(other.rel)).map(({ href }) => href)
}

/** Its own title, else that of its media. */
function titleOf(media: EntryMedia, isAtom: boolean): RichText {
  const own = firstNonEmptyText(
    children(media.node, 'f:title', 'dc:title', 'atom:title', 'media:title', 'itunes:title'),
    isAtom,
  )
  return own.value === '' ? firstNonEmptyText(mediaTitles(media), false) : own
}

function firstNonEmptyText(candidates: XmlNode[], isAtom: boolean): RichText {
  const found = candidates.find(({ text }) => text.trim() !== '')
  return found ? toRichText(found, isAtom) : emptyRichText
}

function toRichText(node: XmlNode, isAtom: boolean): RichText {
  const type = attribute(node, 'type').toLowerCase()
  const isPacked = attribute(node, 'mode').toLowerCase() === 'base64'
  const value = isPacked ? Buffer.from(node.text, 'base64').toString() : node.text
  if (node.isMarkup || type.includes('html')) return { value, kind: 'html' }
  if (/^(?!text\/).+\/|^text\/(?!plain)/.test(type) && type !== 'application/xml') return { value: '', kind: 'text' } // a picture inside, say
  const isText = isAtom && (type === '' ? !isMarkup(value) : true)
  return { value, kind: isText ? 'text' : 'perhaps-html' }
}

/** Names joined by semicolons, without email addresses: dc:creator, atom:author, RSS author (`mail (Name)`), itunes:author, in this order. */
function authorOf(node: XmlNode): string {
  const names = [
    ...childTexts(node, 'dc:creator'),
    ...children(node, 'f:author', 'atom:author').map(
      (child) => childTexts(child, 'f:name', 'atom:name')[0] ?? child.text,
    ),
    ...childTexts(node, 'itunes:author'),
    ...children(node, 'media:credit')
      .filter((credit) => !pictureCreditRole.test(attribute(credit, 'role')))
      .map(({ text }) => text),
    ...childTexts(node, 'dc:contributor'),
    ...children(node, 'f:source')
      .flatMap((source) => children(source, 'f:author'))
      .map((child) => childTexts(child, 'f:name')[0] ?? ''),
  ]
  const clean = names.map(personName).filter((name) => name !== '')
  const several = children(node, 'dc:creator').length > 1 || children(node, 'f:author').length > 1
  return several
    ? [...new Set(clean)]
        .slice(0, Math.max(children(node, 'dc:creator').length, children(node, 'f:author').length))
        .join('; ')
    : (clean[0] ?? '')
}

/** Credits for pictures, which do not name the author of the article. */
const pictureCreditRole = /photo|camera|picture|image|illustrat|graphic/i

function categoriesOf(node: XmlNode): string[] {
  const own = children(node, 'f:category').map(
    (child) => attribute(child, 'label') || child.text.trim() || attribute(child, 'term') || attribute(child, 'text'),
  )
  const shows = children(node, 'itunes:category').flatMap((child) => [child, ...children(child, 'itunes:category')])
  return [...own, ...childTexts(node, 'dc:subject', 'f:subject'), ...shows.map((child) => attribute(child, 'text'))]
    .map((text) => shortText({ value: text, kind: 'perhaps-html' }, maxLength.category))
    .filter((text) => text !== '')
}
