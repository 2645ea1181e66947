import type { NotAFeed } from '../feed.ts'
import { type Format, Vocabulary } from './names.ts'
import type { Children } from './node.ts'
import { findRoot } from './root.ts'
import { type Content, TreeBuilder } from './tree-builder.ts'

/** A feed as elements. */
export type FeedTree = {
  format: Format
  /** The children of the root and the channel, because RDF has items beside the channel. */
  children: Children
  /** xml:base of the root and the channel, outermost first. */
  bases: string[]
  language: string | null
  /** Entries beyond `maximumEntries`. */
  left: number
  /** The text ends within an entry. */
  cutOff: boolean
  /** The text ends before its root does. */
  unclosed?: true
  /** The site of a bare channel (`<CHANNEL HREF>`), or empty. */
  home: string
}

/**
 * Reads RSS 0.9x–2.0, RDF, a bare channel, or Atom of any version and prefix. Tolerates missing end tags, raw markup in
 * texts, and a cut-off document, which ends after its last complete entry.
 */
export function readTree(document: string): FeedTree | NotAFeed {
  const text = document.replace(controls, '')
  const root = findRoot(text)
  if ('failed' in root) return root
  const builder = new TreeBuilder(text, root, Vocabulary.of(root.format, root.name, text))
  const content: Content | NotAFeed = root.isEmpty ? { children: {}, left: 0, cutOff: false } : builder.read()
  if ('failed' in content) return content
  const { children, left, cutOff, unclosed } = content
  const bases = [root.attributes, builder.channel].flatMap((attributes) => attributes['xml:base'] ?? [])
  const [language = null, home = ''] = [root.attributes['xml:lang'], root.attributes.href]
  return { format: root.format, children, bases, language, left, cutOff, home, ...(unclosed && { unclosed }) }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: invalid in XML 1.0, but feeds have them
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]+/g
