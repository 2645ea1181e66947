import { maxPerEntry } from '../../../config/field-limits.ts'
import type { Attributes } from '../../markup/tokeniser.ts'

/**
 * An element of a feed: its attributes, its own text (HTML where `isMarkup`), and its children by name. Names are those of
 * names.ts.
 */
export type XmlNode = { attributes: Attributes; text: string; isMarkup: boolean; children: Children }
export type Children = { [name: string]: XmlNode[] | undefined }

/** The children with any of the names, in the order of the names; the first 50 of them. */
export function children(node: XmlNode, ...names: string[]): XmlNode[] {
  const found: XmlNode[] = []
  for (const name of names) {
    for (const child of node.children[name] ?? []) {
      if (found.length >= maxPerEntry) return found
      found.push(child)
    }
  }
  return found
}

export function attribute(node: XmlNode | undefined, name: string): string {
  return node?.attributes[name] ?? ''
}

/** The texts of all children with these names that have one. */
export function childTexts(node: XmlNode, ...names: string[]): string[] {
  return children(node, ...names)
    .map(({ text }) => text.trim())
    .filter((text) => text !== '')
}
