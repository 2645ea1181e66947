/**
 * Gives every element the name that we read it by, whatever prefix the feed chose: `dc:creator`, `media:content`, and
 * `f:link` for the format's own elements. The `f:` also hides them from rss-parser, which would throw the whole feed
 * away for one bad date or a link without attributes; it only sees the structure (rss, channel, item, feed, entry).
 */
export function elementNamer(format: 'rss' | 'atom', prefixes: Map<string, string>): (name: string) => string {
  const vocabulary = `${format} ${[...prefixes]}`
  const known = vocabularies.get(vocabulary) ?? new Map<string, string>()
  if (vocabularies.size >= 100) vocabularies.clear()
  vocabularies.set(vocabulary, known)
  return (name) => {
    const found = known.get(name)
    if (found !== undefined) return found
    const named = nameOf(name.toLowerCase(), format, prefixes)
    if (known.size < 500) known.set(name, named)
    return named
  }
}

/** Format and prefixes → names found before: most feeds share a few vocabularies. */
const vocabularies = new Map<string, Map<string, string>>()

/** The same for attributes, which have no namespace without a prefix: `rdf:about`, `xml:base`, `href`. */
export function attributeNamer(prefixes: Map<string, string>): (name: string) => string {
  return (name) => {
    const small = name.toLowerCase()
    const colon = small.indexOf(':')
    return colon < 0
      ? small
      : `${prefixes.get(small.slice(0, colon)) ?? small.slice(0, colon)}:${small.slice(colon + 1)}`
  }
}

/** Every `xmlns:prefix="uri"` of the document whose namespace we know: prefix → our own name for it. */
export function knownPrefixes(xml: string): Map<string, string> {
  const prefixes = new Map<string, string>()
  for (let at = xml.indexOf('xmlns:'); at >= 0 && prefixes.size < mostPrefixes; at = xml.indexOf('xmlns:', at + 6)) {
    const [, prefix = '', uri = ''] = declaration.exec(xml.slice(at + 6, at + 300)) ?? []
    const ours = namespaces.find(([pattern]) => pattern.test(uri.trim()))?.[1]
    if (ours && !prefixes.has(prefix.toLowerCase())) prefixes.set(prefix.toLowerCase(), ours)
  }
  return prefixes
}

const declaration = /^([\w.-]{1,40})\s*=\s*["']([^"'<>]{1,240})["']/
/** Of namespaces that we know; no feed needs more than a dozen. */
const mostPrefixes = 100

/** The part after the prefix, in small letters. */
export function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1).toLowerCase()
}

/** An entry of the feed's own kind or of the other: Atom entries stand in channels, and items in Atom feeds. */
export function isEntryName(name: string, local: string, prefixes: Map<string, string>): boolean {
  if (local !== 'item' && local !== 'entry') return false
  if (local.length === name.length) return true
  const namespace = prefixes.get(name.slice(0, name.indexOf(':')).toLowerCase())
  return namespace === 'rss' || namespace === 'atom'
}

function nameOf(name: string, format: 'rss' | 'atom', prefixes: Map<string, string>): string {
  if (isEntryName(name, localName(name), prefixes)) return format === 'rss' ? 'item' : 'entry'
  const colon = name.indexOf(':')
  const prefix = colon < 0 ? '' : name.slice(0, colon)
  const local = name.slice(colon + 1)
  const namespace = prefix === '' ? format : (prefixes.get(prefix) ?? prefix)
  if (namespace === format) return structure[format].has(local) ? local : `f:${local}`
  return namespace === 'content' ? `f:${local}` : `${namespace}:${local}`
}

const structure = { rss: new Set(['rss', 'channel']), atom: new Set(['feed']) }

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
