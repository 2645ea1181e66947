import type { NotAFeed } from '../feed.ts'
import { type Format, Vocabulary } from './names.ts'
import type { Children } from './node.ts'
import { findRoot } from './root.ts'
import { TreeBuilder } from './tree-builder.ts'

/** A feed as elements, whole whatever its text was. */
export type FeedTree = {
  format: Format
  /** What stands in the feed or its channel; RDF has items beside the channel too. */
  children: Children
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
 * Reads RSS 0.9x–2.0, RDF, a bare channel, or Atom of any version and prefix. Elements that nobody closed end where they
 * were meant to, raw markup in a text is that text, and a document that was cut off ends after its last whole entry.
 */
export function readTree(document: string): FeedTree | NotAFeed {
  const text = document.replace(controls, '')
  const root = findRoot(text)
  if ('failed' in root) return root
  const builder = new TreeBuilder(text, root, Vocabulary.of(root.format, root.name, text))
  const content = root.isEmpty ? { children: {}, left: 0, cutOff: false } : builder.read()
  if ('failed' in content) return content
  const { children, left, cutOff } = content
  const bases = [root.attributes, builder.channel].flatMap((attributes) => attributes['xml:base'] ?? [])
  const [language = null, home = ''] = [root.attributes['xml:lang'], root.attributes.href]
  return { format: root.format, children, bases, language, left, cutOff, home }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: XML 1.0 has no place for them, feeds do
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]+/g
