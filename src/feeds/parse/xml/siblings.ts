import { maxPerEntry } from '../../../config/field-limits.ts'
import type { Name } from './names.ts'
import type { Children, XmlNode } from './node.ts'

/** An element and the start of its tag. */
export type Placed = { name: Name; start: number; node: XmlNode }

/** An entry has some dozens. */
const maxSiblings = 20_000

/** The children of an element, in order: all entries, and the first 50 elements of each other name. */
export class Siblings {
  readonly #elements: Placed[] = []
  /** By name, made when it is needed. */
  #counts: Map<string, number> | undefined

  get length(): number {
    return this.#elements.length
  }

  add(element: Placed): void {
    const isWanted =
      element.name.isEntry ||
      this.length < maxPerEntry ||
      (this.length < maxSiblings && this.#count(element.name.ours) <= maxPerEntry)
    if (isWanted) this.#elements.push(element)
  }

  /** Removes and returns the elements from an index on. */
  takeFrom(index: number): Placed[] {
    this.#counts = undefined
    return this.#elements.splice(index)
  }

  /** The elements that begin before `end`, by name. */
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

  /** Counts one more with this name. */
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
