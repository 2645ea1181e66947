import { createReadStream } from 'node:fs'
import { parse } from 'csv-parse/sync'
import { AppError, messageOf, systemCode } from '../../errors.ts'
import { readAddress } from '../address.ts'
import { trimInvisible } from '../invisible.ts'
import { countText } from './plural.ts'

/** The encoding and delimiter of a file. */
export type Dialect = { encoding: string; delimiter: string }

/**
 * A row and the line where it begins: its values by column, with those of a second column of the same name under
 * `repeated` (`status (column 4)`); or its problem, with the possible readings.
 */
export type Row =
  | { line: number; values: Record<string, string>; repeated?: Record<string, string> }
  | { line: number; problem: string; readings?: Record<string, string>[] }

/** The values of a row, those of repeated columns too. */
export function cellsOf(row: { values: Record<string, string>; repeated?: Record<string, string> }) {
  return row.repeated ? { ...row.values, ...row.repeated } : row.values
}

/** Beyond these limits a quotation mark was forgotten. */
const maxLineLength = 100_000
const maxRecordLines = 100

const columnsHint = 'The first line names the columns: email, name, and any others that you want to keep.'

/**
 * Reads a CSV file (RFC 4180) row by row, in constant memory. After a quotation mark that is never closed, reading
 * continues in the next line, so a broken row loses no others. Throws AppError without a column `email`.
 */
export async function* readRows(file: string, { encoding, delimiter }: Dialect): AsyncGenerator<Row> {
  let columns: string[] | undefined
  const isRow = (line: string) => columns !== undefined && beginsRow(line, columns, delimiter)
  for await (const record of recordsOf(file, { encoding, delimiter }, isRow)) {
    if ('problem' in record) {
      const { text, ...problem } = record
      yield columns && text !== undefined ? { ...problem, readings: readingsOf(text, columns, delimiter) } : problem
      continue
    }
    const cells = splitRecord(record.text, delimiter)
    if (cells.every((cell) => trimInvisible(cell) === '')) continue
    if (columns) yield toRow(cells, columns, record.line)
    else if (!separatorLine.test(record.text)) columns = checkColumns(cells, `${file}:${record.line}`)
  }
  if (!columns) throw new AppError('invalid', `${file} is empty`, { hint: columnsHint })
}

/** The first line by which Excel names the delimiter. */
const separatorLine = /^\ufeff?"?sep=(.)"?[,;\t]*$/i

/** Names of the address column, in letters and digits alone; the first that is found counts. */
const emailColumns = ['email', 'emailaddress', 'mail', 'mailaddress', 'primaryemail', 'primaryemailaddress']
  .concat(['subscriberemail', 'subscriberemailaddress', 'contactemail', 'useremail', 'memberemail', 'emails'])
  .concat(['emailadresse', 'mailadresse', 'adresseemail', 'adressemail', 'courriel', 'correo', 'correoelectronico'])

function checkColumns(record: string[], place: string): string[] {
  const columns = record.map((name) => trimInvisible(name).toLowerCase())
  const spelled = columns.map((name) => name.normalize('NFD').replace(/[^\p{L}\p{N}]+/gu, ''))
  const email = emailColumns.map((name) => spelled.indexOf(name)).find((index) => index >= 0)
  if (email === undefined)
    throw new AppError('invalid', `${place}: there is no column "email", only ${columns.join(', ').slice(0, 500)}`, {
      hint: columnsHint,
    })
  columns[email] = 'email'
  for (const [index, name] of columns.entries()) if (name === 'email' && index !== email) columns[index] = ''
  return columns.map((name, index) => (!name || columns.indexOf(name) === index ? name : repeatedName(name, index)))
}

/** Of two columns with one name, only the first is stored; the other is read for the state. */
const repeatedName = (name: string, index: number) => `${name} (column ${index + 1})`
const isRepeated = (column: string) => /. \(column \d+\)$/.test(column)

/** Spreadsheets leave out empty cells at the end of a row, so missing cells are empty. */
function toRow(record: string[], columns: string[], line: number): Row {
  const hasSurplus = record.slice(columns.length).some((value) => value.trim() !== '')
  if (hasSurplus) {
    const problem = `has ${countText(record.length, 'column')}, but the first line names ${columns.length}`
    return { line, problem, readings: mergedReadings(record, columns) }
  }
  const cells = valuesOf(record, columns)
  if (!columns.some(isRepeated)) return { line, values: cells }
  const part = (repeated: boolean) =>
    Object.fromEntries(Object.entries(cells).filter(([column]) => isRepeated(column) === repeated))
  return { line, values: part(false), repeated: part(true) }
}

function valuesOf(record: string[], columns: string[]): Record<string, string> {
  return Object.fromEntries(
    columns.flatMap((column, index) => (column ? [[column, (record[index] ?? '').trim()]] : [])),
  )
}

/** Rows with more surplus cells are not put together again. */
const maxSurplus = 20

/** A value with a delimiter was not quoted: each value may be the one, so each gives a reading. */
function mergedReadings(record: string[], columns: string[]): Record<string, string>[] {
  const surplus = record.length - columns.length
  if (surplus <= 0) return [valuesOf(record, columns)]
  if (surplus > maxSurplus) return []
  const merged = columns.map((_, at) => {
    const value = record.slice(at, at + surplus + 1).join(' ')
    return valuesOf([...record.slice(0, at), value, ...record.slice(at + surplus + 1)], columns)
  })
  return [valuesOf(record, columns), ...merged]
}

/** The possible readings of a line with a missing quotation mark: its cells without any. */
function readingsOf(text: string, columns: string[], delimiter: string): Record<string, string>[] {
  return mergedReadings(text.replaceAll('"', '').split(delimiter), columns)
}

/** Whether a line could be a row, or the first line of one: it has the right number of columns and an address. */
function beginsRow(line: string, columns: string[], delimiter: string): boolean {
  const open = endsInQuotes(line, delimiter, false)
  const record = splitRecord(open ? `${line}"` : line, delimiter)
  if (open ? record.length > columns.length : record.length !== columns.length) return false
  return 'email' in readAddress(record[columns.indexOf('email')] ?? '')
}

function splitRecord(text: string, delimiter: string): string[] {
  if (!text.includes('"')) return text.split(delimiter)
  return parse(text, { delimiter, recordDelimiter: '\n', relaxQuotes: true })[0] ?? []
}

type CsvRecord = { line: number; text: string } | { line: number; problem: string; text?: string }

/**
 * Joins lines into records, since a quoted value may have line ends. If the next line is a row (`isRow`), the quotation
 * mark was forgotten: the line that opened it is a problem, and the lines after it are read again.
 */
async function* recordsOf(file: string, dialect: Dialect, isRow: (line: string) => boolean): AsyncGenerator<CsvRecord> {
  let line = 1
  let lines: string[] = []
  let open = false
  function* endUnclosed(): Generator<CsvRecord> {
    const [text = '', ...others] = lines
    lines = []
    open = false
    yield { line: line++, problem: 'has a quotation mark that is never closed', text }
    for (const other of others) yield* addLine(other)
  }
  function* addLine(text: string): Generator<CsvRecord> {
    while (open && (lines.length === maxRecordLines || text.length > maxLineLength || isRow(text))) yield* endUnclosed()
    if (text.length > maxLineLength)
      return yield { line: line++, problem: `is longer than ${maxLineLength} characters` }
    if (!open && text.trim() === '') return void line++
    lines.push(text)
    open = endsInQuotes(text, dialect.delimiter, open)
    if (open) return
    yield { line, text: lines.join('\n') }
    line += lines.length
    lines = []
  }
  for await (const page of linesOf(file, dialect.encoding)) for (const text of page) yield* addLine(text)
  while (open) yield* endUnclosed()
}

/** Whether a line ends inside a quoted value, by the rules of csv-parse with `relaxQuotes`. */
function endsInQuotes(line: string, delimiter: string, open: boolean): boolean {
  if (!line.includes('"')) return open
  let inside = open
  let begins = !open
  for (let index = 0; index < line.length; index++) {
    const character = line[index]
    if (character === '"') {
      if (inside && line[index + 1] === '"') index++
      else inside = inside ? false : begins
    }
    begins = !inside && character === delimiter
  }
  return inside
}

/** Yields the lines of each chunk. A line that is too long is cut one character after the limit, so that the cut shows. */
async function* linesOf(file: string, encoding: string): AsyncGenerator<string[]> {
  const text = new TextDecoder(encoding)
  let rest = ''
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    const all = rest + text.decode(chunk, { stream: true })
    const cut = all.endsWith('\r') ? all.length - 1 : all.length // its \n may come with the next chunk
    const lines = all.slice(0, cut).split(/\r\n|\r|\n/)
    rest = (lines.pop() ?? '').slice(0, maxLineLength + 1) + all.slice(cut)
    yield lines
  }
  yield (rest + text.decode()).split(/\r\n|\r|\n/)
}

/** Reads the file once: UTF-8 unless its bytes say otherwise; the delimiter is the most frequent one in the first line. */
export async function detectDialect(file: string): Promise<Dialect> {
  const utf8 = new TextDecoder('utf-8')
  let encoding: string | undefined
  let head = Buffer.alloc(0)
  let validCount = 0
  let invalidCount = 0
  const count = (text: string) => {
    const nonAscii = text.match(/[^\0-\x7f]/g) ?? []
    const broken = nonAscii.filter((character) => character === '\ufffd').length
    invalidCount += broken
    validCount += nonAscii.length - broken
  }
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      if (head.length === 0) encoding = encodingOfByteOrderMark(chunk)
      if (head.length < 4096) head = Buffer.concat([head, chunk]).subarray(0, 4096)
      if (encoding) break
      count(utf8.decode(chunk, { stream: true }))
    }
  } catch (error) {
    throw cannotRead(file, error)
  }
  count(utf8.decode())
  encoding ??= invalidCount > validCount ? 'windows-1252' : 'utf-8' // what spreadsheets write in Western Europe
  const firstLine =
    new TextDecoder(encoding)
      .decode(head)
      .trimStart()
      .split(/[\r\n]/)[0] ?? ''
  const named = separatorLine.exec(firstLine)?.[1]
  if (named) return { encoding, delimiter: named }
  const parts = (mark: string) => firstLine.split(mark).length
  const delimiter = [',', ';', '\t'].reduce((best, mark) => (parts(mark) > parts(best) ? mark : best))
  return { encoding, delimiter }
}

/** By the byte order mark, or by the zero byte of the first ASCII character in UTF-16. */
function encodingOfByteOrderMark([first, second, third]: Buffer): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8'
  if ((first === 0xff && second === 0xfe) || (first && second === 0)) return 'utf-16le'
  if ((first === 0xfe && second === 0xff) || (first === 0 && second)) return 'utf-16be'
  return undefined
}

function cannotRead(file: string, error: unknown): AppError {
  if (systemCode(error) === 'ENOENT') return new AppError('missing', `${file} does not exist`)
  return new AppError('invalid', `${file} cannot be read: ${messageOf(error)}`, { cause: error })
}
