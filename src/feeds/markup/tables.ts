import { decodeHTML } from 'entities'
import { type Attributes, type Token, Tokeniser } from './tokeniser.ts'

/** The rows of a table as HTML; `isHeading`: all cells of the row are `<th>`. */
export type Table = { caption: string; rows: { cells: string[]; isHeading: boolean }[] }

const maxCellLength = 200
const maxRowSpan = 50
const cellBreaks = new Set('p div br section center figure figcaption img'.split(' '))
const layoutElements = new Set('table h1 h2 h3 h4 h5 h6 ul ol blockquote pre iframe form hr'.split(' '))

/**
 * The rows of the table whose content this is, or null if the table only places things on a page: it has long cells,
 * other blocks, or no row of two cells with text.
 */
export function readTable(html: string, attributes: Attributes): Table | null {
  if (/^(?:presentation|none)$/i.test(attributes.role ?? '')) return null
  const reader = new TableReader()
  const tokens = new Tokeniser(html, 'html')
  for (let token = tokens.next(); token; token = tokens.next()) {
    const name = token.name.toLowerCase()
    if (layoutElements.has(name)) return null
    if (token.kind === 'text') reader.write(html.slice(token.start, token.end), true)
    else if (cellBreaks.has(name)) reader.write(' ', false)
    else if (/^(?:caption|tr|t[dh])$/.test(name)) reader.tag(name, token, tokens)
    else if (/^(?:a|b|strong|i|em|code)$/.test(name)) reader.write(html.slice(token.start, token.end), false)
    if (reader.isTooLong) return null
  }
  return reader.table
}

type Row = { cells: string[]; headings: number; filled: number }
type Span = { html: string; rows: number }

class TableReader {
  readonly #table: Table = { caption: '', rows: [] }
  #row: Row | null = null
  #cell: { html: string; length: number; into: 'caption' | 'td' | 'th'; rows: number } | null = null
  #spans = new Map<number, Span>()

  get isTooLong(): boolean {
    return (this.#cell?.length ?? 0) > maxCellLength
  }

  get table(): Table | null {
    this.#endRow()
    const { rows } = this.#table
    return rows.some(({ cells }) => cells.filter((cell) => cell !== '').length > 1) ? this.#table : null
  }

  write(html: string, isText: boolean): void {
    if (!this.#cell) return
    this.#cell.html += html
    if (isText) this.#cell.length += decodeHTML(html).trim().length
  }

  tag(name: string, token: Token, tokens: Tokeniser): void {
    this.#endCell()
    if (name === 'tr') this.#endRow()
    if (token.kind !== 'open') return
    if (name === 'tr') this.#row = this.#newRow()
    else this.#openCell(name as 'caption' | 'td' | 'th', tokens.attributes(token).rowspan)
  }

  #openCell(into: 'caption' | 'td' | 'th', rowspan = '1'): void {
    if (into !== 'caption') this.#row ??= this.#newRow()
    this.#cell = { html: '', length: 0, into, rows: Math.min(Number.parseInt(rowspan, 10) || 1, maxRowSpan) }
  }

  #newRow(): Row {
    return { cells: [], headings: 0, filled: 0 }
  }

  #endCell(): void {
    const cell = this.#cell
    this.#cell = null
    if (!cell) return
    const html = balanced(cell.html).replace(/\s+/g, ' ').trim()
    const isEmpty = cell.length === 0
    if (cell.into === 'caption') this.#table.caption = isEmpty ? '' : html
    else if (this.#row) {
      this.#addSpans(this.#row)
      if (cell.rows > 1) this.#spans.set(this.#row.cells.length, { html: isEmpty ? '' : html, rows: cell.rows })
      this.#row.cells.push(isEmpty ? '' : html)
      if (cell.into === 'th') this.#row.headings++
      this.#row.filled++
    }
  }

  /** Repeats the cells of earlier rows that reach into this row at its next columns. */
  #addSpans({ cells }: { cells: string[] }): void {
    for (let span = this.#spans.get(cells.length); span && span.rows > 1; span = this.#spans.get(cells.length)) {
      span.rows--
      cells.push(span.html)
    }
  }

  #endRow(): void {
    const row = this.#row
    this.#row = null
    if (!row) return
    this.#addSpans(row)
    const last = row.cells.findLastIndex((cell) => cell !== '')
    const isHeading = row.filled > 0 && row.headings === row.filled
    if (last >= 0) this.#table.rows.push({ cells: row.cells.slice(0, last + 1), isHeading })
  }
}

/** Closes the inline elements that a cell leaves open. */
function balanced(html: string): string {
  if (!html.includes('<')) return html
  const open: string[] = []
  for (const [, slash, name = ''] of html.matchAll(/<(\/?)([a-z]+)/gi))
    if (slash === '') open.push(name.toLowerCase())
    else if (open.includes(name.toLowerCase())) open.splice(open.lastIndexOf(name.toLowerCase()), 1)
  return (
    html +
    open
      .toReversed()
      .map((name) => `</${name}>`)
      .join('')
  )
}

/** The table as lines: `Adult · 4.00 · 4.50`, its heading row strong. */
export function tableLines({ caption, rows }: Table): string[] {
  const lines = rows.map(({ cells, isHeading }) => {
    const line = cells.map((cell) => cell || '–').join(' · ')
    return isHeading ? `<strong>${line}</strong>` : line
  })
  return caption === '' ? lines : [`<strong>${caption}</strong>`, ...lines]
}
