import { maxPerEntry } from '../../../config/field-limits.ts'

/** An element as rss-parser's XML reader gives it: its text alone, or its attributes, text and children by name. */
export type XmlNode = string | { [name: string]: unknown }

/** The children with any of the names, in the order of the names; the first 50 of them. */
export function children(node: XmlNode, ...names: string[]): XmlNode[] {
  return allChildren(node, names, maxPerEntry)
}

/** All of them, for what a feed has thousands of. */
export function allChildren(node: XmlNode, names: string[], maximum = Number.POSITIVE_INFINITY): XmlNode[] {
  const found: XmlNode[] = []
  if (typeof node === 'string') return found
  for (const name of names) {
    const value = node[name]
    for (const child of Array.isArray(value) ? value : [value]) {
      if (found.length >= maximum) return found
      if (isNode(child)) found.push(child)
    }
  }
  return found
}

/** The element's own text. */
export function textOf(node: XmlNode | undefined): string {
  if (node === undefined) return ''
  if (typeof node === 'string') return node
  return typeof node._ === 'string' ? node._ : ''
}

export function attribute(node: XmlNode | undefined, name: string): string {
  const attributes = typeof node === 'object' ? node.$ : undefined
  const value = attributes && typeof attributes === 'object' ? (attributes as Record<string, unknown>)[name] : undefined
  return typeof value === 'string' ? value.trim() : ''
}

/** The texts of all children with these names that have one. */
export function childTexts(node: XmlNode, ...names: string[]): string[] {
  const found: string[] = []
  for (const child of children(node, ...names)) {
    const text = textOf(child).trim()
    if (text !== '') found.push(text)
  }
  return found
}

function isNode(value: unknown): value is XmlNode {
  return typeof value === 'string' || (typeof value === 'object' && value !== null && !Array.isArray(value))
}
