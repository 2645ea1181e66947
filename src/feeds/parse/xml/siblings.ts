import { maxPerEntry } from '../../../config/field-limits.ts'
import type { Name } from './names.ts'
import type { Children, XmlNode } from './node.ts'

/** An element among its siblings; its tag begins at `start`. */
export type Placed = { name: Name; start: number; node: XmlNode }

/** Each takes memory, and an entry has some dozens. */
const maximumSiblings = 20_000

/** What stands in an element, in order. Of each name the first 50 are kept, for nobody reads more; entries all are. */
export class Siblings {
  readonly #elements: Placed[] = []
  /** By name, once there are so many. */
  #counts: Map<string, number> | undefined

  get length(): number {
    return this.#elements.length
  }

  add(element: Placed): void {
    const isWanted =
      element.name.isEntry ||
      this.length < maxPerEntry ||
      (this.length < maximumSiblings && this.#count(element.name.ours) <= maxPerEntry)
    if (isWanted) this.#elements.push(element)
  }

  /** Takes away those from an index on. */
  takeFrom(index: number): Placed[] {
    this.#counts = undefined
    return this.#elements.splice(index)
  }

  /** Those that begin before this place of the text, by name. */
  byName(end = Number.POSITIVE_INFINITY): Children {
    if (this.length === 0) return none
    const children: Children = Object.create(null)
    for (const { name, start, node } of this.#elements) {
      const same = children[name.ours]
      if (start >= end) continue
      if (same) same.push(node)
      else children[name.ours] = [node]
    }
    return children
  }

  /** How many have this name, with one that comes. */
  #count(name: string): number {
    this.#counts ??= this.#counted()
    const count = (this.#counts.get(name) ?? 0) + 1
    this.#counts.set(name, count)
    return count
  }

  #counted(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const { name } of this.#elements) counts.set(name.ours, (counts.get(name.ours) ?? 0) + 1)
    return counts
  }
}

const none: Children = Object.freeze(Object.create(null))
