import RssParser from 'rss-parser'
import type { Children, XmlNode } from './node.ts'
import type { FeedTree } from './tree.ts'

/**
 * The fields and entries of a feed, read by rss-parser from an RSS 2.0 or Atom tree. The fields of an entry are hidden from
 * it, because it rejects a whole feed for one bad date.
 */
export function readStructure({ format, children }: FeedTree): XmlNode {
  const feed =
    format === 'rss' ? reader.buildRSS2({ rss: { channel: [children] } }) : reader.buildAtomFeed({ feed: children })
  return { attributes: {}, text: '', isMarkup: false, children: feed }
}

/** Gets trees, because its own XML reader rejects many feeds. Both methods are missing in the package's types. */
class TreeReader extends RssParser {
  declare buildRSS2: (document: { rss: { channel: [Children] } }) => Children
  declare buildAtomFeed: (document: { feed: Children }) => Children
}

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
]
const fields = channelNames.map((name) => [name, name, { keepArray: true }])
const reader = new TreeReader({ customFields: { feed: fields as unknown as string[] } })
