import { maxPerEntry } from '../../../config/field-limits.ts'
import type { Attributes } from '../../markup/tokeniser.ts'

/** An element of a feed: attributes, own text (HTML if `isMarkup`), and children by the names of names.ts. */
export type XmlNode = { attributes: Attributes; text: string; isMarkup: boolean; children: Children }
export type Children = { [name: string]: XmlNode[] | undefined }

/** The first 50 children with these names, in the order of the names. */
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

/** The non-empty texts of the children with these names. */
export function childTexts(node: XmlNode, ...names: string[]): string[] {
  return children(node, ...names)
    .map(({ text }) => text.trim())
    .filter((text) => text !== '')
}
