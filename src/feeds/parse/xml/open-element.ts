import type { Attributes } from '../../markup/tokeniser.ts'
import { repairDoubleEncoding } from '../double-encoding.ts'
import type { Name } from './names.ts'
import { type Placed, Siblings } from './siblings.ts'

/** In characters; the rest of a text is not used. */
const maxTextLength = 1024 * 1024

/** An element whose end tag has not been read yet. */
export class OpenElement {
  readonly name: Name
  readonly start: number
  readonly #attributes: Attributes
  readonly #children = new Siblings()
  #text = ''
  #isMarkup = false
  /** The length of its text before the first tag in it, or -1. */
  #textToTag = -1
  /** The index of its first child that is an entry, or -1. */
  #firstEntry = -1

  constructor(name: Name, start: number, attributes: Attributes) {
    this.name = name
    this.start = start
    this.#attributes = attributes
  }

  get holdsEntry(): boolean {
    return this.#firstEntry >= 0
  }

  /** Adds text, with entities decoded by `decode`. The text of an entry itself is ignored. */
  addText(text: string, decode: (text: string) => string): void {
    if (this.name.isEntry || this.#text.length >= maxTextLength) return
    const read = text.slice(0, maxTextLength - this.#text.length)
    this.#text += read.includes('&') ? decode(read) : read
  }

  /** Replaces its text with HTML. */
  addMarkup(html: string): void {
    this.#text = html.slice(0, maxTextLength)
    this.#isMarkup = true
  }

  add(child: Placed): void {
    this.#children.add(child)
  }

  /** Marks that a tag follows. */
  noteTag(): void {
    if (this.#textToTag < 0) this.#textToTag = this.#text.length
  }

  /** Marks that an entry follows. */
  noteEntry(): void {
    if (this.#firstEntry < 0) this.#firstEntry = this.#children.length
  }

  /** The element, ended by its end tag. */
  closed(): Placed {
    return this.#placed(this.#text)
  }

  /**
   * The element without an end tag: it ends before the first tag in it (`<link>https://… <guid>`), an entry before the
   * first entry in it. `rest` and `text` follow it.
   */
  cut(): { element: Placed; rest: Placed[]; text: string } {
    const from = this.name.isEntry ? this.#firstEntry : 0
    const rest = from < 0 ? [] : this.#children.takeFrom(from)
    const end = this.#textToTag < 0 ? this.#text.length : this.#textToTag
    return { element: this.#placed(this.#text.slice(0, end)), rest, text: this.#text.slice(end) }
  }

  #placed(text: string): Placed {
    const node = {
      attributes: this.#attributes,
      text: /\S/.test(text) ? repairDoubleEncoding(text) : '',
      isMarkup: this.#isMarkup,
      children: this.#children.byName(),
    }
    return { name: this.name, start: this.start, node }
  }
}
