import { decodeXML } from 'entities'
import { type Numbering, nextNumber, numberingOf, writtenNumber } from '../../feeds/markup/list-numbers.ts'
import { type BodyToken, bodyTokens, type Numbers } from './body-tags.ts'

/** A body as plain text: a blank line between paragraphs, the address after each link, lists with dashes or numbers. */
export function bodyText(html: string): string {
  const writer = new BodyTextWriter()
  for (const token of bodyTokens(html)) writer.write(token)
  return writer.text
}

const inlineTags = new Set(['a', 'em', 'i', 'strong', 'b', 'code'])

/** The text of a body on one line, without the addresses of its links. */
export function bodyOneLine(html: string): string {
  let out = ''
  for (const { text, name } of bodyTokens(html)) out += name === '' ? decodeXML(text) : inlineTags.has(name) ? '' : ' '
  return out.replace(/\s+/g, ' ').trim()
}

class BodyTextWriter {
  #out = ''
  #indent = ''
  #link = { href: '', start: 0 }
  /** The open lists, the innermost last; null for one with dashes. */
  readonly #lists: (Numbering | null)[] = []

  get text(): string {
    return this.#out.trim()
  }

  write({ text, name, closing, href, numbers }: BodyToken): void {
    if (name === '') this.#out += decodeXML(text)
    else if (name === 'a') closing ? this.#endLink() : this.#startLink(href)
    else if (name === 'ul' || name === 'ol') closing ? this.#endList() : this.#startList(name, numbers)
    else if (!inlineTags.has(name)) this.#writeBlock(name, closing, numbers)
  }

  #writeBlock(name: string, closing: boolean, { value }: Numbers): void {
    if (name === 'br') this.#breakLine(this.#lists.length > 0 ? '\n  ' : '\n')
    else if (name === 'blockquote') this.#breakLine('\n\n', closing ? '' : '    ')
    else if (name !== 'li') this.#breakLine('\n\n')
    else if (!closing) this.#startItem(value)
  }

  #breakLine(lines: string, indent = this.#indent): void {
    this.#indent = indent
    const before = this.#out.trimEnd()
    this.#out = before === '' ? '' : before + lines
    if (this.#out.endsWith('\n')) this.#out += indent
  }

  #startLink(href: string): void {
    this.#link = { href, start: this.#out.length }
  }

  #endLink(): void {
    const { href, start } = this.#link
    if (this.#out.slice(start).trim() !== href) this.#out += ` (${href})`
  }

  #startList(name: 'ol' | 'ul', numbers: Numbers): void {
    this.#lists.push(name === 'ol' ? numberingOf(numbers, '', 0) : null)
    this.#breakLine(this.#lists.length > 1 ? '\n' : '\n\n', this.#listIndent())
  }

  #endList(): void {
    this.#lists.pop()
    this.#breakLine(this.#lists.length > 0 ? '\n' : '\n\n', this.#listIndent())
  }

  #listIndent(): string {
    return '  '.repeat(Math.max(0, this.#lists.length - 1))
  }

  #startItem(value: string | undefined): void {
    const list = this.#lists.at(-1)
    if (!this.#out.endsWith('\n\n')) this.#breakLine('\n')
    this.#out += list ? `${writtenNumber(nextNumber(list, value), list.type)}. ` : '- '
  }
}
