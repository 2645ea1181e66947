import { type Numbering, nextNumber, numberingOf, writtenNumber } from './list-numbers.ts'
import { simplify } from './simplify.ts'
import { foldWhitespace, passHidden, type RichText, strippedText } from './text.ts'
import { inlineElements, type Token, Tokeniser } from './tokeniser.ts'

/** A block of a text on one line; `endLink` is its last link, if it ends with one. */
export type Line = { text: string; isHeading: boolean; isItem: boolean; hasLink: boolean; endLink: string }

/** Signs of a private use area: starts of a heading, of a link, its end, and the start of a list item. */
const [headingSign, linkStart, linkEnd, itemSign] = ['\ue000', '\ue001', '\ue002', '\ue003']
const signs = /[\ue000-\ue003]/g

/** The blocks of a text, each on one line, at most about `maximum` characters; captions only where nothing else is. */
export function linesOf(rich: RichText, maximum: number): Line[] {
  const lines = splitLines(strippedText(rich, maximum, (html, most) => markedText(html, most, false)))
  const isHtml = rich.kind !== 'text' && /figcaption|wp-caption/i.test(rich.value)
  if (lines.length > 0 || !isHtml) return lines
  return splitLines(strippedText(rich, maximum, (html, most) => markedText(html, most, true)))
}

function splitLines(marked: string): Line[] {
  const lines: Line[] = []
  for (const line of marked.split('\n')) {
    const text = foldWhitespace(line.replace(signs, ''))
    if (text === '') continue
    const start = line.lastIndexOf(linkStart)
    const end = line.indexOf(linkEnd, start)
    const isLast = start >= 0 && foldWhitespace(line.slice(end < 0 ? line.length : end)).replace(signs, '').length < 3
    const endLink = isLast ? foldWhitespace(line.slice(start).replace(signs, '')) : ''
    lines.push({
      text,
      isHeading: line.includes(headingSign),
      isItem: line.includes(itemSign),
      hasLink: start >= 0,
      endLink,
    })
  }
  return lines
}

/** The text with a line break between blocks. */
function markedText(given: string, maximum: number, withCaptions: boolean): string {
  const html = simplify(given, '; ', maximum)
  const writer = new LineWriter(html)
  return writer.read(maximum, withCaptions)
}

class LineWriter {
  readonly #html: string
  readonly #tokens: Tokeniser
  /** The open lists, the innermost last; null for one without numbers. */
  readonly #lists: (Numbering | null)[] = []
  #out = ''

  constructor(html: string) {
    this.#html = html
    this.#tokens = new Tokeniser(html, 'html')
  }

  read(maximum: number, withCaptions: boolean): string {
    let revealedUntil = 0
    for (let token = this.#tokens.next(); token && this.#out.length <= maximum; token = this.#tokens.next()) {
      const name = token.name.toLowerCase()
      if (token.kind === 'text') this.#text(token, maximum)
      else this.#tag(name, token)
      if (token.kind !== 'open' || token.closed) continue
      if (!withCaptions && isCaption(name, this.#html.slice(token.start, token.end))) {
        this.#tokens.at = this.#tokens.endOfElement(name)
      } else revealedUntil = passHidden(this.#tokens, token, name, revealedUntil)
    }
    return this.#out
  }

  #text({ start, end }: Token, maximum: number): void {
    this.#out += this.#html
      .slice(start, Math.min(end, start + maximum + 1))
      .replace(signs, '')
      .replace(/[\r\n]+/g, ' ')
  }

  #tag(name: string, token: Token): void {
    const isOpen = token.kind === 'open'
    if (name === 'a' && token.kind !== 'comment') this.#out += isOpen ? linkStart : linkEnd
    else if (!inlineElements.has(name)) this.#out += token.kind === 'comment' ? ' ' : '\n'
    if (isOpen && /^h[1-6]$/.test(name)) this.#out += headingSign
    if (name === 'ol' || name === 'ul') this.#list(name, token)
    if (name === 'li' && isOpen) this.#item(token)
  }

  #list(name: 'ol' | 'ul', token: Token): void {
    if (token.kind === 'close') this.#lists.pop()
    else this.#lists.push(name === 'ul' ? null : numberingOf(this.#tokens.attributes(token), this.#html, token.end))
  }

  #item(token: Token): void {
    this.#out += itemSign
    const list = this.#lists.at(-1)
    if (list) this.#out += `${writtenNumber(nextNumber(list, this.#tokens.attributes(token).value), list.type)}. `
  }
}

function isCaption(name: string, tag: string): boolean {
  return name === 'figcaption' || (name === 'p' && /wp-caption-text/.test(tag))
}
