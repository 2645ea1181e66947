import { messageOf } from '../../errors.ts'
import { isGzip, UnpackError, unpack } from '../../http/content-encoding.ts'
import { toParsedFeed } from './article.ts'
import { decodeText } from './decode.ts'
import type { RawFeed } from './entry.ts'
import type { FeedContext, NotAFeed, ParsedFeed } from './feed.ts'
import { readJsonFeed } from './json-feed.ts'
import { readInWorker } from './reader-pool.ts'
import { readStructure } from './xml/structure.ts'
import { readTree } from './xml/tree.ts'
import { readXmlFeed } from './xml/xml-feed.ts'

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
    const feed = /^[\s\ufeff]*[{[]/.test(text) ? readJsonFeed(text) : readXml(text)
    if ('failed' in feed) return feed
    const clean = context.needsBodies ? (await import('../markup/clean-body.ts')).cleanBody : undefined
    return toParsedFeed(feed, context.url, clean)
  } catch (error) {
    if (error instanceof UnpackError) return { failed: `it cannot be unpacked: ${error.message}` }
    return { failed: `it cannot be read: ${messageOf(error)}` }
  }
}

function readXml(text: string): RawFeed | NotAFeed {
  const tree = readTree(text)
  return 'failed' in tree ? tree : readXmlFeed(readStructure(tree), tree)
}
