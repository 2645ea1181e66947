import { decodeHTMLStrict } from 'entities'
import { maximumEntries } from '../../../config/field-limits.ts'
import { type Attributes, type Token, Tokeniser } from '../../markup/tokeniser.ts'
import type { NotAFeed } from '../feed.ts'
import type { Name, Vocabulary } from './names.ts'
import type { Children } from './node.ts'
import { OpenElement } from './open-element.ts'
import type { Root } from './root.ts'
import { type Placed, Siblings } from './siblings.ts'

/**
 * The content of the root. `left`: entries beyond `maximumEntries`; `cutOff`: the text ends within an entry; `unclosed`: it
 * ends before the root does.
 */
export type Content = { children: Children; left: number; cutOff: boolean; unclosed?: true }

const maxDepth = 100
/** Element names whose raw markup is read; each may cost one pass over the text. */
const maxTextNames = 50
const neverClosed = new Set(['br', 'hr', 'img', 'wbr'])
const textNames = new Set(
  'title description summary content encoded body subtitle tagline info rights copyright'.split(' '),
)

/** Builds elements from tags, and ends those that have no end tag. */
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
  /** The end of the last complete entry, and of the root. */
  #wholeTo = 0
  #rootEnd = 0

  constructor(text: string, root: Root, vocabulary: Vocabulary) {
    this.#text = text
    this.#tokens = new Tokeniser(text, 'xml', root.end)
    this.#isRss = root.format === 'rss'
    this.#rootName = root.name.toLowerCase()
    this.#vocabulary = vocabulary
  }

  /** The attributes of the channel, after `read`. */
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
    return { ...this.#contentTo(this.#wholeTo), cutOff, unclosed: true }
  }

  #addText({ kind, start, end, unfinished }: Token): void {
    const open = this.#open.at(-1)
    if (unfinished) this.#endCdata(start)
    else if (kind === 'text') open?.addText(this.#text.slice(start, end), decodeHTMLStrict)
    else open?.addText(this.#text.slice(start + 9, end - 3), unchanged)
  }

  /** A CDATA section without an end ends with its element. */
  #endCdata(start: number): void {
    const open = this.#open.at(-1)
    const close = open ? this.#tokens.find(`</${open.name.written}`, start) : -1
    if (close >= 0) open?.addText(this.#text.slice(start + 9, close), unchanged)
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
    return this.#open.length > maxDepth ? { failed: `tags are nested more than ${maxDepth} deep` } : null
  }

  #openElement(name: Name, token: Token): void {
    const element = new OpenElement(name, token.start, this.#vocabulary.attributes(this.#tokens.attributes(token)))
    if (token.closed || neverClosed.has(name.local)) this.#place(element.closed())
    else this.#open.push(element)
    if (!token.closed && textNames.has(name.local) && name.ours !== 'media:content')
      this.#takeRawMarkup(element, token.end)
  }

  /** Ends the open elements down to an entry. */
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

  /** The element that a cut-off end tag (`</ite`) closes. */
  #cutOffName(start: string): string {
    const innermost = this.#open.at(-1)?.name.small
    return [innermost, this.#rootName].find((name) => name?.startsWith(start)) ?? ''
  }

  /** Null if a second document follows. */
  #endRoot({ start, end }: Token): Content | null {
    while (this.#open.length > 0) this.#endUnclosed()
    this.#rootEnd = start
    const goesOn = this.#tokens.find('<item', end) >= 0 || this.#tokens.find('<entry', end) >= 0
    return goesOn ? null : this.#contentTo(start)
  }

  /** A repeated root, or in RSS the channel: their children are read as if they were not there. */
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
    this.#open.at(-1)?.addText(cut.text, unchanged)
  }

  /** Counts the tags with this name from the current one on. */
  #countOn(name: string): number {
    let count = 1
    for (let token = this.#tokens.next(); token; token = this.#tokens.next())
      if (token.kind === 'open' && token.name === name) count++
    return count
  }

  /** The elements that begin before `end`. */
  #contentTo(end: number): Content {
    while (this.#open.length > 0) {
      if ((this.#open.at(-1)?.start ?? 0) < end) this.#endUnclosed()
      else this.#open.pop()
    }
    return { children: this.#elements.byName(end), left: 0, cutOff: false }
  }

  /** Reads markup that is not escaped (`type="xhtml"`, or by mistake) as the text of the element. */
  #takeRawMarkup(element: OpenElement, from: number): void {
    const { written } = element.name
    const second = this.#text[this.#text.indexOf('<', from) + 1]
    if (second === '!' || second === '/') return
    if (this.#textNames.size >= maxTextNames && !this.#textNames.has(written)) return
    this.#textNames.add(written)
    const close = this.#closeBefore(written, from, ['</item', '<item', '</entry', '<entry'])
    if (close < 0) return
    element.addMarkup(this.#text.slice(from, close).replace(/<!\[CDATA\[|\]\]>/g, ''))
    this.#tokens.at = close
  }

  /** Skips a script between the elements, with its content. */
  #passScript({ name, end }: Token): void {
    const close = this.#closeBefore(name, end, ['</item', '</entry'])
    const last = close < 0 ? -1 : this.#tokens.find('>', close)
    this.#tokens.at = last < 0 ? end : last + 1
  }

  /** The start of the element's end tag, or -1 if one of `borders` comes first. */
  #closeBefore(name: string, from: number, borders: string[]): number {
    const close = this.#tokens.find(`</${name}`, from)
    return borders.some((border) => isBetween(this.#tokens.find(border, from), close)) ? -1 : close
  }
}

function isBetween(place: number, end: number): boolean {
  return place >= 0 && place < end
}

const unchanged = (text: string): string => text
