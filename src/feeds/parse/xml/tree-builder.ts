import { decodeHTMLStrict } from 'entities'
import { maximumEntries } from '../../../config/field-limits.ts'
import { type Attributes, type Token, Tokeniser } from '../../markup/tokeniser.ts'
import type { NotAFeed } from '../feed.ts'
import type { Name, Vocabulary } from './names.ts'
import type { Children } from './node.ts'
import { OpenElement } from './open-element.ts'
import type { Root } from './root.ts'
import { type Placed, Siblings } from './siblings.ts'

/** What stands in the root. `left`: entries beyond the first 5,000. `cutOff`: the text ends in the middle of an entry. */
export type Content = { children: Children; left: number; cutOff: boolean }

const maximumDepth = 100
/** Different names whose raw markup is looked for: each may cost a way through the text. */
const maximumTextNames = 50
const neverClosed = new Set(['br', 'hr', 'img', 'wbr'])
const textNames = new Set(
  'title description summary content encoded body subtitle tagline info rights copyright'.split(' '),
)

/** Makes elements of a feed's tags, and an end for each that nobody closed. */
export class TreeBuilder {
  readonly #text: string
  readonly #tokens: Tokeniser
  readonly #isRss: boolean
  readonly #rootName: string
  readonly #vocabulary: Vocabulary
  readonly #open: OpenElement[] = []
  readonly #elements = new Siblings()
  readonly #textNames = new Set<string>()
  #channel: Attributes | undefined
  #entries = 0
  /** Where the last whole entry ends, and where the root does. */
  #wholeTo = 0
  #rootEnd = 0

  constructor(text: string, root: Root, vocabulary: Vocabulary) {
    this.#text = text
    this.#tokens = new Tokeniser(text, 'xml', root.end)
    this.#isRss = root.format === 'rss'
    this.#rootName = root.name.toLowerCase()
    this.#vocabulary = vocabulary
  }

  /** The attributes of the channel, once it is read. */
  get channel(): Attributes {
    return this.#channel ?? {}
  }

  read(): Content | NotAFeed {
    for (let token = this.#tokens.next(); token; token = this.#tokens.next()) {
      if (token.kind === 'text' || token.kind === 'cdata') this.#addText(token)
      if (token.kind !== 'open' && token.kind !== 'close') continue
      this.#open.at(-1)?.noteTag()
      const end = token.kind === 'open' ? this.#openTag(token) : this.#closeTag(token)
      if (end) return end
    }
    if (this.#rootEnd > 0) return this.#contentTo(this.#rootEnd)
    if (this.#wholeTo === 0) return { failed: 'the feed is cut off before its first entry is complete' }
    const cutOff = this.#open.some(({ name, holdsEntry }) => name.isEntry && !holdsEntry)
    return { ...this.#contentTo(this.#wholeTo), cutOff }
  }

  #addText({ kind, start, end, unfinished }: Token): void {
    const open = this.#open.at(-1)
    if (unfinished) this.#endCdata(start)
    else if (kind === 'text') open?.addText(this.#text.slice(start, end), decodeHTMLStrict)
    else open?.addText(this.#text.slice(start + 9, end - 3), asItIs)
  }

  /** A CDATA section that never ends does so with its element. */
  #endCdata(start: number): void {
    const open = this.#open.at(-1)
    const close = open ? this.#tokens.find(`</${open.name.written}`, start) : -1
    if (close >= 0) open?.addText(this.#text.slice(start + 9, close), asItIs)
    this.#tokens.at = close < 0 ? this.#text.length : close
  }

  #openTag(token: Token): Content | NotAFeed | null {
    const name = this.#vocabulary.name(token.name)
    if (this.#isStructure(name)) {
      if (name.local === 'channel') this.#channel ??= this.#tokens.attributes(token)
      return null
    }
    if (name.isEntry) {
      if (this.#entries++ === maximumEntries)
        return { ...this.#contentTo(this.#wholeTo), left: this.#countOn(token.name) }
      this.#beginEntry(token)
    }
    if (name.small === 'script' && !token.closed) this.#passScript(token)
    else this.#openElement(name, token)
    return this.#open.length > maximumDepth ? { failed: `tags are nested more than ${maximumDepth} deep` } : null
  }

  #openElement(name: Name, token: Token): void {
    const element = new OpenElement(name, token.start, this.#vocabulary.attributes(this.#tokens.attributes(token)))
    if (token.closed || neverClosed.has(name.local)) this.#place(element.closed())
    else this.#open.push(element)
    if (!token.closed && textNames.has(name.local) && name.ours !== 'media:content')
      this.#takeRawMarkup(element, token.end)
  }

  /** Everything before an entry ends, but entries. */
  #beginEntry({ closed, end }: Token): void {
    while (this.#open.at(-1)?.name.isEntry === false) this.#endUnclosed()
    this.#open.at(-1)?.noteEntry()
    if (closed) this.#wholeTo = end
  }

  #closeTag(token: Token): Content | null {
    const small = token.unfinished ? this.#cutOffName(token.name.toLowerCase()) : token.name.toLowerCase()
    if (this.#isStructure(this.#vocabulary.name(small))) return small === this.#rootName ? this.#endRoot(token) : null
    const index = this.#open.findLastIndex(({ name }) => name.small === small)
    if (index < 0) return null
    while (this.#open.length - 1 > index) this.#endUnclosed()
    const element = this.#open.pop()
    if (!element) return null
    this.#place(element.closed())
    if (!element.name.isEntry) return null
    this.#wholeTo = token.end
    if (this.#rootEnd > 0) this.#rootEnd = token.end
    return null
  }

  /** `</ite` at the very end: what it was going to close is whole. */
  #cutOffName(start: string): string {
    const innermost = this.#open.at(-1)?.name.small
    return [innermost, this.#rootName].find((name) => name?.startsWith(start)) ?? ''
  }

  /** Null where a second document is stuck to the first. */
  #endRoot({ start, end }: Token): Content | null {
    while (this.#open.length > 0) this.#endUnclosed()
    this.#rootEnd = start
    const goesOn = this.#tokens.find('<item', end) >= 0 || this.#tokens.find('<entry', end) >= 0
    return goesOn ? null : this.#contentTo(start)
  }

  /** The root again, and in RSS the channel: what stands in them is read as if they were not there. */
  #isStructure({ small, local }: Name): boolean {
    return (this.#isRss && local === 'channel') || small === this.#rootName
  }

  #place(element: Placed): void {
    const parent = this.#open.at(-1) ?? this.#elements
    parent.add(element)
  }

  #endUnclosed(): void {
    const cut = this.#open.pop()?.cut()
    if (!cut) return
    this.#place(cut.element)
    for (const element of cut.rest) this.#place(element)
    this.#open.at(-1)?.addText(cut.text, asItIs)
  }

  /** How many tags of this name there are from the one on that was read last. */
  #countOn(name: string): number {
    let count = 1
    for (let token = this.#tokens.next(); token; token = this.#tokens.next())
      if (token.kind === 'open' && token.name === name) count++
    return count
  }

  /** What begins before this place. */
  #contentTo(end: number): Content {
    while (this.#open.length > 0) {
      if ((this.#open.at(-1)?.start ?? 0) < end) this.#endUnclosed()
      else this.#open.pop()
    }
    return { children: this.#elements.byName(end), left: 0, cutOff: false }
  }

  /** A text with markup in it (`type="xhtml"`, or a description that nobody escaped) is that markup. */
  #takeRawMarkup(element: OpenElement, from: number): void {
    const { written } = element.name
    const second = this.#text[this.#text.indexOf('<', from) + 1]
    if (second === '!' || second === '/') return
    if (this.#textNames.size >= maximumTextNames && !this.#textNames.has(written)) return
    this.#textNames.add(written)
    const close = this.#closeBefore(written, from, ['</item', '<item', '</entry', '<entry'])
    if (close < 0) return
    element.addMarkup(this.#text.slice(from, close).replace(/<!\[CDATA\[|\]\]>/g, ''))
    this.#tokens.at = close
  }

  /** A script that somebody put between the elements goes with all that is in it. */
  #passScript({ name, end }: Token): void {
    const close = this.#closeBefore(name, end, ['</item', '</entry'])
    const last = close < 0 ? -1 : this.#tokens.find('>', close)
    this.#tokens.at = last < 0 ? end : last + 1
  }

  /** Where an element ends, or -1 where it does not before any of these. */
  #closeBefore(name: string, from: number, borders: string[]): number {
    const close = this.#tokens.find(`</${name}`, from)
    return borders.some((border) => isBetween(this.#tokens.find(border, from), close)) ? -1 : close
  }
}

function isBetween(place: number, end: number): boolean {
  return place >= 0 && place < end
}

const asItIs = (text: string): string => text
