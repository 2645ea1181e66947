import type { Attributes } from '../../markup/tokeniser.ts'

export type Format = 'rss' | 'atom'

/** An element's name as written, in small letters, without its prefix, and in our vocabulary (`ours`). */
export type Name = { written: string; small: string; local: string; ours: string; isEntry: boolean }

/**
 * Maps the element names of a feed, with any prefixes, to ours: `dc:creator`, `media:content`, `item` or `entry`, and
 * `f:link` for the format's own elements. The `f:` hides those from rss-parser, which rejects a whole feed for one bad date.
 */
export class Vocabulary {
  readonly #format: Format
  readonly #prefixes: Map<string, string>
  readonly #known = new Map<string, Name>()

  private constructor(format: Format, prefixes: Map<string, string>) {
    this.#format = format
    this.#prefixes = prefixes
  }

  /** The vocabulary of a document; documents with the same prefixes share one. */
  static of(format: Format, rootName: string, xml: string): Vocabulary {
    const prefixes = knownPrefixes(xml)
    const rootPrefix = prefixOf(rootName.toLowerCase())
    if (rootPrefix && localName(rootName) !== 'rdf') prefixes.set(rootPrefix, format)
    const key = `${format} ${[...prefixes]}`
    const known = vocabularies.get(key) ?? new Vocabulary(format, prefixes)
    if (vocabularies.size >= 100) vocabularies.clear()
    vocabularies.set(key, known)
    return known
  }

  name(written: string): Name {
    const known = this.#known.get(written)
    if (known) return known
    const small = written.toLowerCase()
    const local = localName(small)
    const isEntry = this.#isEntry(small, local)
    const ours = isEntry ? (this.#format === 'rss' ? 'item' : 'entry') : this.#ours(small, local)
    const name = { written, small, local, ours, isEntry }
    if (this.#known.size < 500) this.#known.set(written, name)
    return name
  }

  /** Adds the attributes under our prefixes; those without a prefix have no namespace: `rdf:about`, `xml:base`, `href`. */
  attributes(given: Attributes): Attributes {
    for (const name in given) {
      const prefix = name.includes(':') ? this.#prefixes.get(prefixOf(name)) : undefined
      if (prefix !== undefined) given[`${prefix}:${localName(name)}`] ??= given[name]
    }
    return given
  }

  /** Of either format, because some channels have Atom entries, and some Atom feeds items. */
  #isEntry(small: string, local: string): boolean {
    if (local !== 'item' && local !== 'entry') return false
    return local === small || /^(?:rss|atom)$/.test(this.#prefixes.get(prefixOf(small)) ?? '')
  }

  #ours(small: string, local: string): string {
    const prefix = prefixOf(small)
    const namespace = prefix === '' ? this.#format : (this.#prefixes.get(prefix) ?? prefix)
    return namespace === this.#format || namespace === 'content' ? `f:${local}` : `${namespace}:${local}`
  }
}

/** By format and prefixes. */
const vocabularies = new Map<string, Vocabulary>()

/** The declared prefixes of known namespaces (`xmlns:prefix="uri"`): prefix → ours. */
export function knownPrefixes(xml: string): Map<string, string> {
  const prefixes = new Map<string, string>()
  for (const [, prefix = '', uri = ''] of xml.matchAll(declarations)) {
    const ours = namespaces.find(([pattern]) => pattern.test(uri.trim()))?.[1]
    if (ours && !prefixes.has(prefix.toLowerCase())) prefixes.set(prefix.toLowerCase(), ours)
    if (prefixes.size >= maxPrefixes) break
  }
  return prefixes
}

const declarations = /xmlns:([\w.-]{1,40})\s*=\s*["']([^"'<>]{1,240})["']/g
/** No feed needs more than a dozen. */
const maxPrefixes = 100

/** The part after the prefix, in small letters. */
export function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1).toLowerCase()
}

function prefixOf(name: string): string {
  return name.slice(0, Math.max(0, name.indexOf(':')))
}

const namespaces: [RegExp, string][] = [
  [/^https?:\/\/(www\.)?w3\.org\/2005\/Atom\/?$|^http:\/\/purl\.org\/(net\/)?atom\//i, 'atom'],
  [
    /^http:\/\/purl\.org\/rss\/1\.0\/?$|netscape\.com\/rdf\/simple|^http:\/\/backend\.userland\.com\/rss|^http:\/\/channel\.netscape/i,
    'rss',
  ],
  [/^https?:\/\/purl\.org\/dc\/elements\//i, 'dc'],
  [/^https?:\/\/purl\.org\/dc\/terms/i, 'dcterms'],
  [/^http:\/\/purl\.org\/rss\/1\.0\/modules\/content/i, 'content'],
  [/^https?:\/\/purl\.org\/rss\/1\.0\/modules\/syndication/i, 'sy'],
  [/search\.yahoo\.com\/mrss|^http:\/\/tools\.search\.yahoo\.com\/mrss|rssboard\.org\/media-rss/i, 'media'],
  [/itunes\.com\/dtds\/podcast/i, 'itunes'],
  [/^http:\/\/www\.w3\.org\/1999\/02\/22-rdf-syntax-ns/i, 'rdf'],
  [/^http:\/\/www\.w3\.org\/1999\/xhtml/i, 'xhtml'],
]
