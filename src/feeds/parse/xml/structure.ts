import RssParser from 'rss-parser'
import type { Children, XmlNode } from './node.ts'
import type { FeedTree } from './tree.ts'

/**
 * The feed's own fields and its entries, as rss-parser finds them in an RSS 2.0 or Atom tree. The fields of an entry it
 * does not see: for one bad date, or a link without attributes, it would throw the whole feed away.
 */
export function readStructure({ format, children }: FeedTree): XmlNode {
  const feed =
    format === 'rss' ? reader.buildRSS2({ rss: { channel: [children] } }) : reader.buildAtomFeed({ feed: children })
  return { attributes: {}, text: '', isMarkup: false, children: feed }
}

/** Its XML reader refuses most of what feeds are, so it is given trees. Both methods are in its JavaScript, not in its types. */
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
