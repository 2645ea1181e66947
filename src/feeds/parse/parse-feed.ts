import RssParser from 'rss-parser'
import { messageOf } from '../../errors.ts'
import { isGzip, UnpackError, unpack } from '../../http/content-encoding.ts'
import { toParsedFeed } from './article.ts'
import { decodeText } from './decode.ts'
import { repairDoubleEncoding } from './double-encoding.ts'
import type { RawFeed } from './entry.ts'
import type { ParsedFeed } from './feed.ts'
import { readJsonFeed } from './json-feed.ts'
import { readInWorker } from './reader-pool.ts'
import { readSpareFeed } from './xml/feedsmith-adapter.ts'
import { attributeNamer, elementNamer } from './xml/names.ts'
import type { XmlNode } from './xml/node.ts'
import { type Normalised, normalise } from './xml/normalise.ts'
import { withTexts } from './xml/placeholders.ts'
import type { NotAFeed } from './xml/root.ts'
import { readXmlFeed } from './xml/xml-feed.ts'

/** `bodies`: the whole text of each article is wanted as well. */
export type FeedContext = { url: string; contentType: string | null; needsBodies?: boolean }

/** Of a feed that is kept as `feed.xml.gz`: as many as a feed may have that was packed on its way. */
const maximumUnpackedBytes = 10 * 1024 * 1024

/**
 * The bytes of a feed → its articles, and what was rejected with the reason; or, in words, why it is no feed.
 * RSS 0.9x–2.0, RDF, Atom 0.3 and 1.0, JSON Feed; any encoding; broken or hostile. Read in another
 * thread, for at most 20 s. Never throws for what is in the bytes.
 */
export function parseFeed(bytes: Uint8Array, context: FeedContext): Promise<ParsedFeed | NotAFeed> {
  return readInWorker('feed', bytes, context, 20)
}

/** The same on the thread that calls it: for a worker. */
export async function parseInThisThread(packed: Uint8Array, context: FeedContext): Promise<ParsedFeed | NotAFeed> {
  try {
    const bytes = isGzip(packed) ? await unpack(packed, 'gzip', maximumUnpackedBytes) : packed
    const text = decodeText(bytes, context.contentType)
    const feed = /^[\s\ufeff]*[{[]/.test(text) ? readJsonFeed(text) : await readXml(text)
    if ('failed' in feed) return feed
    const clean = context.needsBodies ? (await import('../markup/clean-body.ts')).cleanBody : undefined
    return toParsedFeed(feed, context.url, clean)
  } catch (error) {
    if (error instanceof UnpackError) return { failed: `it cannot be unpacked: ${error.message}` }
    return { failed: `it cannot be read: ${messageOf(error)}` }
  }
}

async function readXml(text: string): Promise<RawFeed | NotAFeed> {
  const document = normalise(text)
  if ('failed' in document) return document
  for (const strict of [true, false]) {
    const feed = await readWithRssParser(document, strict).catch(() => null)
    if (feed !== null) return readXmlFeed(feed, document)
  }
  const { parseFeed: parseWithFeedsmith } = await import('feedsmith') // 90 ms that hardly any feed needs
  return readSpareFeed(parseWithFeedsmith(withTexts(document.xml, document.texts)).feed, document)
}

/**
 * rss-parser reads the structure, and hands the entries over as they are: what it would make of their fields is where it
 * fails whole feeds. Strict first, which is faster, then not: what is still broken costs its own entry at most.
 */
async function readWithRssParser(document: Normalised, strict: boolean): Promise<XmlNode> {
  const reader = (strict && idleReaders.pop()) || openReader(strict)
  reader.setDocument(document)
  const feed = (await reader.parser.parseString(document.xml)) as unknown as XmlNode
  reader.setDocument(null) // it keeps no feed in memory
  if (strict) idleReaders.push(reader)
  return feed
}

type DocumentNames = Pick<Normalised, 'format' | 'prefixes' | 'texts'>
type Reader = { parser: RssParser; setDocument(document: DocumentNames | null): void }

/** Making one takes as long as reading 200 bytes. One that threw may hold the rest of its feed, and never comes back. */
const idleReaders: Reader[] = []

function openReader(strict: boolean): Reader {
  let [element, attribute, text] = [identity, identity, identity]
  const parser = new RssParser<Record<string, unknown>>({
    xml2js: {
      strict,
      tagNameProcessors: [(name: string) => element(name)],
      attrNameProcessors: [(name: string) => attribute(name)],
      // rss-parser throws the whole feed away for an Atom entry that is empty or a bare text: both become an object.
      valueProcessors: [(value: string, name: string) => (name === 'entry' ? {} : repairDoubleEncoding(text(value)))],
      emptyTag: () => ({}),
    },
    customFields: { feed: channelFields as unknown as string[] },
  })
  const names = (document: DocumentNames | null) => {
    element = document ? elementNamer(document.format, document.prefixes) : identity
    attribute = document ? attributeNamer(document.prefixes) : identity
    text = document ? document.texts.read : identity
  }
  return { parser, setDocument: names }
}

const identity = (name: string): string => name

const channelNames = [
  'item',
  'entry',
  'f:title',
  'f:link',
  'f:url',
  'f:id',
  'f:author',
  'f:language',
  'f:ttl',
  'sy:updateperiod',
  'sy:updatefrequency',
  'atom:link',
  'dc:title',
  'dc:language',
  'dc:creator',
  '$',
]
const channelFields = channelNames.map((name) => [name, name, { keepArray: true }])
