import { messageOf } from '../../errors.ts'
import { isGzip, UnpackError, unpack } from '../../http/content-encoding.ts'
import { joinSurrogateHalves } from '../markup/surrogates.ts'
import { decodeText } from './decode.ts'
import type { RawFeed } from './entry.ts'
import type { FeedContext, NotAFeed, ParsedFeed } from './feed.ts'
import { readJsonFeed } from './json-feed.ts'
import { toParsedFeed } from './parsed-feed.ts'
import { readInWorker } from './reader-pool.ts'
import { readStructure } from './xml/structure.ts'
import { readTree } from './xml/tree.ts'
import { readXmlFeed } from './xml/xml-feed.ts'

/** Of a file such as `feed.xml.gz`. */
const maximumUnpackedBytes = 10 * 1024 * 1024

/**
 * Parses RSS 0.9x–2.0, RDF, Atom 0.3 and 1.0 or JSON Feed in any encoding, in a reader thread, for at most 20 s. Broken or
 * hostile bytes never throw: `failed` is the reason, for a person.
 */
export function parseFeed(bytes: Uint8Array, context: FeedContext): Promise<ParsedFeed | NotAFeed> {
  return readInWorker('feed', bytes, context, 20)
}

/** `parseFeed` on the calling thread, for a reader worker. */
export async function parseInThisThread(packed: Uint8Array, context: FeedContext): Promise<ParsedFeed | NotAFeed> {
  try {
    const bytes = isGzip(packed) ? await unpack(packed, 'gzip', maximumUnpackedBytes) : packed
    const text = joinSurrogateHalves(decodeText(bytes, context.contentType))
    const feed = /^[\s\ufeff]*[{[]/.test(text) ? readJsonFeed(text) : readXml(text)
    if ('failed' in feed) return feed
    const clean = context.needsBodies ? (await import('../markup/clean-body.ts')).cleanBody : undefined
    return toParsedFeed(feed, context, clean)
  } catch (error) {
    if (error instanceof UnpackError) return { failed: `it cannot be unpacked: ${error.message}` }
    return { failed: `it cannot be read: ${messageOf(error)}` }
  }
}

function readXml(text: string): RawFeed | NotAFeed {
  const tree = readTree(text)
  return 'failed' in tree ? tree : readXmlFeed(readStructure(tree), tree)
}
