import { decodeHTML, escapeText } from 'entities'
import { isStruck } from './hidden-text.ts'
import { isFurniture } from './page-furniture.ts'
import { subscript, superscript } from './raised-text.ts'
import { readTable, tableLines } from './tables.ts'
import { type Attributes, type Token, Tokeniser, unshownTags } from './tokeniser.ts'

/** How the rows of a table end: each on a line of its own, or within one line. */
type RowEnd = '<br>' | '; '

/** Elements whose content is not markup, and is passed on as it is. */
const rawElements = new Set([...unshownTags, 'title', 'textarea'])
const struckElements = new Set(
  'del s strike span p div li td em strong b i font a u h1 h2 h3 h4 h5 h6 blockquote'.split(' '),
)
const keptLines = /white-space\s*:\s*(?:pre|break-spaces)/i
const maxRaisedLength = 300
const maxTableDepth = 3
const rowsPerParagraph = 25
const needsNoChange =
  /<(?:del|s|strike|su[bp]|table|pre)\b|class|\bid\b|line-through|white-space|#(?:more|respond|comments)/i

/**
 * HTML in which what tags mean is said in text: struck-out text and page furniture are left out, `<sup>` and `<sub>` are
 * characters, tables of data are lines, and lines of `<pre>` end with `<br>`. Stops after `maximum` characters of text.
 */
export function simplify(html: string, rowEnd: RowEnd, maximum = Number.POSITIVE_INFINITY): string {
  return needsNoChange.test(html) ? new Simplifier(html, rowEnd).read(maximum) : html
}

class Simplifier {
  readonly #html: string
  readonly #tokens: Tokeniser
  readonly #rowEnd: RowEnd
  /** Names of elements that once had no end tag: no further end is looked for. */
  readonly #unclosed = new Set<string>()
  #out = ''
  #textLength = 0
  #tableDepth = 0
  /** Up to here line breaks count. */
  #linesUntil = 0
  /** Line breaks that are written before the next text of `<pre>`; negative before its first text. */
  #waitingBreaks = 0

  constructor(html: string, rowEnd: RowEnd) {
    this.#html = html
    this.#tokens = new Tokeniser(html, 'html')
    this.#rowEnd = rowEnd
  }

  read(maximum: number): string {
    for (let token = this.#tokens.next(); token && this.#textLength <= maximum; token = this.#tokens.next()) {
      const name = token.name.toLowerCase()
      if (token.kind === 'text') this.#text(token, maximum)
      else if (token.kind !== 'open' || token.closed || !this.#isReplaced(name, token)) {
        if (name === 'table' && token.kind === 'close') this.#tableDepth = Math.max(0, this.#tableDepth - 1)
        if (name === 'br') this.#waitingBreaks = Math.max(0, this.#waitingBreaks)
        this.#out += this.#html.slice(token.start, token.end)
      }
    }
    return this.#out
  }

  #text({ start, end }: Token, maximum: number): void {
    const text = this.#html.slice(start, Math.min(end, start + maximum + 1))
    this.#textLength += text.length
    this.#out += start < this.#linesUntil ? this.#lines(text) : text
  }

  /** Text of `<pre>` with `<br>` for each line break between its first and last character. */
  #lines(text: string): string {
    let out = ''
    for (const [index, line] of text.split(/\r\n?|\n/).entries()) {
      if (index > 0 && this.#waitingBreaks >= 0) this.#waitingBreaks++
      if (line.trim() === '') continue
      out += '<br>'.repeat(Math.max(0, Math.min(this.#waitingBreaks, 2))) + line
      this.#waitingBreaks = 0
    }
    return out === '' && !/[\r\n]/.test(text) ? text : out
  }

  /** Whether the element that begins here is written in another way, or left out. */
  #isReplaced(name: string, token: Token): boolean {
    const from = this.#tokens.at
    if (rawElements.has(name)) {
      this.#tokens.passContent(name)
      this.#out += this.#html.slice(token.start, this.#tokens.at)
      return true
    }
    if (name === 'sup' || name === 'sub') return this.#raised(name, from)
    const attributes = token.end - token.start > name.length + 3 ? this.#tokens.attributes(token) : {}
    if (name === 'table') return this.#table(attributes, from)
    if (struckElements.has(name) && isStruck(name, attributes)) return this.#leaveOut(name)
    if (isFurniture(name, attributes)) return this.#leaveOut(name)
    if (name === 'pre' || keptLines.test(attributes.style ?? '')) this.#keepLines(name)
    return false
  }

  /** The index of the end tag, or -1 where there is none. */
  #endOf(name: string): number {
    if (this.#unclosed.has(name)) return -1
    const end = this.#tokens.endOfElement(name)
    if (end < this.#html.length) return end
    this.#unclosed.add(name)
    return -1
  }

  #leaveOut(name: string): boolean {
    const end = this.#endOf(name)
    if (end < 0) return false
    this.#passEndTag(end)
    if (/^[,.;:!?)\]]/.test(this.#html.slice(this.#tokens.at, this.#tokens.at + 1))) this.#out = this.#out.trimEnd()
    return true
  }

  #passEndTag(end: number): void {
    this.#tokens.at = end
    if (this.#html.startsWith('</', end)) this.#tokens.next()
  }

  #raised(name: 'sup' | 'sub', from: number): boolean {
    const near = this.#html.slice(from, from + maxRaisedLength)
    const end = near.search(name === 'sup' ? /<\/sup\s*>/i : /<\/sub\s*>/i)
    if (end < 0) return false
    const text = decodeHTML(near.slice(0, end).replace(/<[^<>]*>/g, ''))
    const before = decodeHTML(this.#out.slice(-50).replace(/<[^<>]*>$/, ''))
    this.#out += escapeText(name === 'sup' ? superscript(text, before) : subscript(text, before))
    this.#passEndTag(from + end)
    return true
  }

  #table(attributes: Attributes, from: number): boolean {
    const isDeep = ++this.#tableDepth > maxTableDepth
    const end = isDeep ? -1 : this.#endOf('table')
    const inside = this.#html.slice(from, Math.max(from, end))
    if (end < 0 || /<table\b/i.test(inside)) return false
    const table = readTable(simplify(inside, this.#rowEnd), attributes)
    if (!table) return false
    this.#tableDepth--
    const lines = tableLines(table)
    if (this.#rowEnd === '; ') this.#out += `<p>${lines.join('; ')}</p>`
    else
      for (let at = 0; at < lines.length; at += rowsPerParagraph)
        this.#out += `<p>${lines.slice(at, at + rowsPerParagraph).join('<br>')}</p>`
    this.#textLength += end - from
    this.#passEndTag(end)
    return true
  }

  #keepLines(name: string): void {
    if (this.#tokens.at < this.#linesUntil) return
    const end = this.#endOf(name)
    this.#linesUntil = end < 0 ? this.#linesUntil : end
    this.#waitingBreaks = -1
  }
}
