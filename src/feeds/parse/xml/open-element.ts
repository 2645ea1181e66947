import type { Attributes } from '../../markup/tokeniser.ts'
import { repairDoubleEncoding } from '../double-encoding.ts'
import type { Name } from './names.ts'
import { type Placed, Siblings } from './siblings.ts'

/** Nobody reads further: a summary is a few sentences, and a picture stands near the beginning. */
const longestText = 1024 * 1024

/** An element whose end tag was not read yet. */
export class OpenElement {
  readonly name: Name
  readonly start: number
  readonly #attributes: Attributes
  readonly #children = new Siblings()
  #text = ''
  #isMarkup = false
  /** Length of its text where the first tag in it stands; -1: there is none. */
  #textToTag = -1
  /** Index of the first entry in it among its children. */
  #firstEntry = -1

  constructor(name: Name, start: number, attributes: Attributes) {
    this.name = name
    this.start = start
    this.#attributes = attributes
  }

  get holdsEntry(): boolean {
    return this.#firstEntry >= 0
  }

  /** The text may hold entities, which `decode` reads. An entry has no text of its own. */
  addText(text: string, decode: (text: string) => string): void {
    if (this.name.isEntry || this.#text.length >= longestText) return
    const read = text.slice(0, longestText - this.#text.length)
    this.#text += read.includes('&') ? decode(read) : read
  }

  /** Its text is HTML. */
  addMarkup(html: string): void {
    this.#text = html.slice(0, longestText)
    this.#isMarkup = true
  }

  add(child: Placed): void {
    this.#children.add(child)
  }

  /** A tag comes next in it. */
  noteTag(): void {
    if (this.#textToTag < 0) this.#textToTag = this.#text.length
  }

  /** An entry comes next in it. */
  noteEntry(): void {
    if (this.#firstEntry < 0) this.#firstEntry = this.#children.length
  }

  /** The element as it ends with its tag. */
  closed(): Placed {
    return this.#placed(this.#text)
  }

  /**
   * The element as it ends where nobody closed it: before the first tag in it (`<link>https://… <guid>`), an entry before
   * the first entry in it or else where it is. `rest` follows it.
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
