import { knownPrefixes, localName } from './names.ts'
import { type Texts, textsAside } from './placeholders.ts'
import { findRoot, type NotAFeed } from './root.ts'
import { type Scan, scanBody } from './scan.ts'

export type Normalised = {
  format: 'rss' | 'atom'
  /** `<rss version="2.0"><channel>…` or `<feed>…`, whole, without prolog, comments or what follows the root. */
  xml: string
  /** Its long texts, which rss-parser does not see. */
  texts: Texts
  prefixes: Map<string, string>
  /** xml:base of the root and the channel, outermost first. */
  bases: string[]
  language: string | null
  /** Entries beyond the first 5,000. */
  left: number
  /** The text ends in the middle of an entry. */
  cutOff: boolean
  /** Where a bare channel says its site is (`<CHANNEL HREF>`). */
  home: string
}

/**
 * Makes one plain document out of what feeds are: RSS 0.9x–2.0, RDF (items inside or beside the channel) and a bare
 * channel become `<rss version="2.0">`, Atom of any version and prefix `<feed>`. The document type goes, and with it every
 * entity of its own; raw markup in a text becomes CDATA; a document that was cut off ends after its last whole entry.
 * One pass with indexOf: linear in the length, whatever the text is.
 */
export function normalise(document: string): Normalised | NotAFeed {
  const text = document.replace(controls, '')
  const root = findRoot(text)
  if ('failed' in root) return root
  const prefixes = knownPrefixes(text)
  const rootPrefix = root.name.includes(':') ? root.name.slice(0, root.name.indexOf(':')).toLowerCase() : ''
  if (rootPrefix && localName(root.name) !== 'rdf') prefixes.set(rootPrefix, root.format)
  const empty: Scan = { body: '', texts: textsAside(), channelTag: '', left: 0, cutOff: false }
  const scan = closedAtOnce.test(root.tag) ? empty : scanBody(text, root, prefixes)
  if ('failed' in scan) return scan
  const [start, end] =
    root.format === 'rss' ? ['<rss version="2.0"><channel>', '</channel></rss>'] : ['<feed version="1.0">', '</feed>']
  const bases = [root.tag, scan.channelTag].map((tag) => attributeOf(tag, 'xml:base')).filter((base) => base !== null)
  const language = attributeOf(root.tag, 'xml:lang')
  return {
    format: root.format,
    xml: start + scan.body + end,
    texts: scan.texts,
    prefixes,
    bases,
    language,
    left: scan.left,
    cutOff: scan.cutOff,
    home: attributeOf(root.tag, 'href') ?? attributeOf(root.tag, 'HREF') ?? '',
  }
}

/** Not `xmlns="http://www.w3.org/2005/Atom/>`, which lacks a quote. */
const closedAtOnce = /(?:["'\s]|^<[^\s"']+)\/>$/

function attributeOf(tag: string, name: keyof typeof patterns): string | null {
  const match = tag.includes(name) ? patterns[name].exec(tag) : null
  return match ? (match[1] ?? match[2] ?? '').trim() : null
}

const patterns = {
  'xml:base': /\sxml:base\s*=\s*(?:"([^"]*)"|'([^']*)')/,
  'xml:lang': /\sxml:lang\s*=\s*(?:"([^"]*)"|'([^']*)')/,
  href: /\shref\s*=\s*(?:"([^"]*)"|'([^']*)')/i,
  HREF: /\shref\s*=\s*(?:"([^"]*)"|'([^']*)')/i,
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no place for them, feeds do
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]+/g
