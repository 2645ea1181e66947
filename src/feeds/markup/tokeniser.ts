import { decodeHTMLAttribute, decodeHTMLStrict } from 'entities'

/**
 * In XML a quoted value has no `<` (XML 1.0 §3.1), CDATA is text, and of an unfinished construct only its opening mark is
 * lost. In HTML an unfinished construct takes the rest of the text, as in a browser.
 */
export type Dialect = 'xml' | 'html'

/**
 * A token from `start` to `end` (UTF-16 units). `comment` is any comment, declaration or processing instruction, `name` a
 * tag's name as written, `closed` a self-closing tag (`<br/>`), `unfinished` a token that the end of the text cuts off.
 */
export type Token = {
  kind: 'text' | 'cdata' | 'open' | 'close' | 'comment'
  start: number
  end: number
  name: string
  closed: boolean
  unfinished: boolean
}

/** By name in small letters; of two with the same name the first counts (HTML §13.2.5.33). */
export type Attributes = { [name: string]: string | undefined }

/** Elements of HTML without an end tag (HTML §13.1.2). */
export const voidElements = new Set('area base br col embed hr img input link meta source track wbr'.split(' '))

/** Elements that show nothing. */
export const unshownTags = new Set(['script', 'style', 'head', 'noscript', 'iframe', 'object', 'svg', 'template'])

/** Elements that do not break a line of text. */
export const inlineElements = new Set(
  'a abbr b bdi bdo big cite code del dfn em font i ins kbd mark q s samp small span strike strong sub sup tt u var wbr'.split(
    ' ',
  ),
)

/** The attributes of a longer tag are not read; it has a picture as a `data:` URL. */
const maxTagLength = 64 * 1024
/** Characters of an HTML quoted value after its first `>`. */
const maxQuotedLength = 2000
const maxNameLength = 200

/** Reads any text as a stream of tokens from `at`, which only grows. Linear for every text. */
export class Tokeniser {
  readonly text: string
  at: number
  readonly #isXml: boolean
  readonly #found = new Map<string | RegExp, number>()

  constructor(text: string, dialect: Dialect, at = 0) {
    this.text = text
    this.at = at
    this.#isXml = dialect === 'xml'
  }

  /** The next token, or null at the end. A `<` that begins no markup is text. */
  next(): Token | null {
    const { text, at } = this
    const open = this.#markupFrom(at)
    if (open > at) return this.#token('text', at, open)
    if (open >= text.length) return null
    const second = text.charCodeAt(open + 1)
    if (second === questionMark) return this.#passing('comment', '<?', this.#isXml ? '?>' : '>')
    if (second !== exclamationMark) return this.#tag(second === slash)
    if (text.startsWith('<!--', open)) return this.#passing('comment', '<!--', '-->')
    if (this.#isXml && text.startsWith('<![CDATA[', open)) return this.#cdata()
    return this.#isXml && documentType.test(text.slice(open, open + 9))
      ? this.#documentType()
      : this.#passing('comment', '<!', '>')
  }

  /** The attributes of a tag with decoded entities. */
  attributes({ start, end, name, closed }: Token): Attributes {
    const from = start + 1 + name.length
    if (end - from < 3 || end - start > maxTagLength) return none
    const found: Attributes = Object.create(null)
    const decode = this.#isXml ? decodeHTMLStrict : decodeHTMLAttribute
    const to = closed ? this.text.lastIndexOf('/', end) : end - 1
    for (const [, key = '', double, single, bare] of this.text.slice(from, to).matchAll(attribute)) {
      const value = (double ?? single ?? bare ?? '').trim()
      found[key.toLowerCase()] ??= value.includes('&') ? decode(value) : value
    }
    return found
  }

  /** Moves to the end tag of an element with raw text, such as a script, or to the end of the text. */
  passContent(name: string): void {
    const ending = new RegExp(`</${RegExp.escape(name)}`, 'gi')
    ending.lastIndex = this.at
    this.at = ending.exec(this.text)?.index ?? this.text.length
  }

  /** The start of the end tag of the element that was opened last; a paragraph also ends where the next one begins. */
  endOfElement(name: string): number {
    const ahead = new Tokeniser(this.text, this.#isXml ? 'xml' : 'html', this.at)
    let depth = 1
    for (let token = ahead.next(); token; token = ahead.next()) {
      if (token.name.toLowerCase() !== name) continue
      if (token.kind === 'close' || name === 'p') depth--
      else if (!token.closed) depth++
      if (depth === 0) return token.start
    }
    return this.text.length
  }

  /** The index of the next match, or -1. Calls with growing `from` read the text only once. */
  find(needle: string | RegExp, from: number): number {
    const last = this.#found.get(needle)
    if (last !== undefined && (last < 0 || last >= from)) return last
    const found = typeof needle === 'string' ? this.text.indexOf(needle, from) : matchFrom(this.text, needle, from)
    this.#found.set(needle, found)
    return found
  }

  #token(kind: Token['kind'], start: number, end: number): Token {
    this.at = end
    return { kind, start, end, name: '', closed: false, unfinished: false }
  }

  /** The start of the next markup, or the length of the text. */
  #markupFrom(from: number): number {
    const { text } = this
    for (let open = text.indexOf('<', from); open >= 0; open = text.indexOf('<', open + 1)) {
      const second = text.charCodeAt(open + 1)
      if (second === exclamationMark || second === questionMark || this.#startsName(second)) return open
      if (second === slash && (!this.#isXml || this.#startsName(text.charCodeAt(open + 2)))) return open
    }
    return text.length
  }

  #startsName(code: number): boolean {
    return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code === underscore && this.#isXml)
  }

  #tag(isClosing: boolean): Token | null {
    const { text, at: start } = this
    const from = isClosing ? start + 2 : start + 1
    if (!this.#startsName(text.charCodeAt(from))) return this.#passing('comment', '</', '>')
    const to = endOfName(text, from)
    const isCut = this.#isXml && text.charCodeAt(to) === less // `<item<title>`
    const end = isCut ? to : this.#endOfTag(to)
    this.at = end < 0 ? text.length : end
    if (end < 0 && !(isClosing && this.#isXml)) return null
    const token: Token = {
      kind: isClosing ? 'close' : 'open',
      start,
      end: this.at,
      name: text.slice(from, to),
      closed: !isClosing && this.#isClosed(to),
      unfinished: end < 0,
    }
    return token
  }

  /** The index after the `>` that ends a tag, or -1. A `>` in a quoted value ends it only where the quote has no end. */
  #endOfTag(from: number): number {
    const { text } = this
    let [greaterInValue, before] = [-1, 0]
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === greater) return at + 1
      if (code === less && greaterInValue >= 0 && this.#isXml) break
      if (isQuote(code) && before === equals) {
        const value = this.#quotedValue(at, greaterInValue)
        greaterInValue = value.firstGreater
        if (value.end < 0) break
        at = value.end
      }
      if (code > 32) before = code
    }
    return greaterInValue + 1 || -1
  }

  /** The index of its closing quote, or -1; `firstGreater` is that of the tag so far, and then with this value. */
  #quotedValue(start: number, known: number): { end: number; firstGreater: number } {
    const { text } = this
    const quote = text.charCodeAt(start)
    let firstGreater = known
    for (let at = start + 1; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === quote) return { end: at, firstGreater }
      if (firstGreater < 0) firstGreater = code === greater ? at : -1
      else if (this.#isXml ? code === less : at - firstGreater > maxQuotedLength) break
    }
    return { end: -1, firstGreater }
  }

  #isClosed(nameEnd: number): boolean {
    const { text, at: end } = this
    let last = end - 2
    while (this.#isXml && text.charCodeAt(last) <= 32) last--
    if (text.charCodeAt(last) !== slash || last < nameEnd) return false
    const before = text.charCodeAt(last - 1)
    return this.#isXml || last === nameEnd || before <= 32 || isQuote(before)
  }

  /** A token that begins and ends with these marks. */
  #passing(kind: Token['kind'], mark: string, ending: string): Token | null {
    const { at: start, text } = this
    const found = this.find(ending, start + 1)
    if (found >= 0) return this.#token(kind, start, found + ending.length)
    if (this.#isXml) return this.#token(kind, start, start + mark.length)
    this.at = text.length
    return null
  }

  #cdata(): Token {
    const { at: start, text } = this
    const end = this.find(']]>', start)
    return end < 0
      ? { ...this.#token('cdata', start, text.length), unfinished: true }
      : this.#token('cdata', start, end + 3)
  }

  /** A document type; the entities that it declares are not read. */
  #documentType(): Token | null {
    const { at: start, text } = this
    const end = this.find('>', start)
    const subset = end < 0 ? -1 : text.slice(start, end).indexOf('[')
    const close = subset < 0 ? -1 : this.find(subsetEnd, start + subset)
    return close < 0 ? this.#passing('comment', '<!', '>') : this.#token('comment', start, this.find('>', close) + 1)
  }
}

const none: Attributes = Object.freeze(Object.create(null))
const attribute = /([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)(?:"|$)|'([^']*)(?:'|$)|([^\s"'<>]+)))?/g
const documentType = /^<!doctype/i
const subsetEnd = /\]\s*>/g
const [slash, questionMark, exclamationMark, equals, underscore] = [47, 63, 33, 61, 95]
const [less, greater, doubleQuote, singleQuote] = [60, 62, 34, 39]

function endOfName(text: string, from: number): number {
  let at = from
  while (at - from < maxNameLength && !endsName(text.charCodeAt(at))) at++
  return at
}

function isQuote(code: number): boolean {
  return code === doubleQuote || code === singleQuote
}

function endsName(code: number): boolean {
  return !(code > 32) || code === slash || code === greater || code === less
}

function matchFrom(text: string, pattern: RegExp, from: number): number {
  pattern.lastIndex = from
  return pattern.exec(text)?.index ?? -1
}
