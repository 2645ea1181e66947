import { createReadStream } from 'node:fs'
import { parse } from 'csv-parse/sync'
import { AppError, messageOf, systemCode } from '../../errors.ts'
import { readAddress } from '../address.ts'
import { trimInvisible } from '../invisible.ts'
import { countText } from './plural.ts'

/** How a file is written: what its bytes mean, and what stands between its values. */
export type Dialect = { encoding: string; delimiter: string }

/**
 * A row under the heading, by the line where it begins: its values by column, with those of a second column of the same
 * name apart (`status (column 4)`); or why it cannot be read, with what it may have been meant to say.
 */
export type Row =
  | { line: number; values: Record<string, string>; repeated?: Record<string, string> }
  | { line: number; problem: string; readings?: Record<string, string>[] }

/** All cells of a row, those of columns of the same name too. */
export function cellsOf(row: { values: Record<string, string>; repeated?: Record<string, string> }) {
  return row.repeated ? { ...row.values, ...row.repeated } : row.values
}

/** A record has no more characters in a line, and no more lines, than this: beyond it a quotation mark was forgotten. */
const maxLineLength = 100_000
const maxRecordLines = 100

const columnsHint = 'The first line names the columns: email, name, and anything else that you want to keep.'

/**
 * Reads a CSV file (RFC 4180) row by row, in constant memory. A row that is broken loses none of the others: where a
 * quotation mark is never closed, reading goes on in the next line. Throws AppError without a column `email`.
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

/** What Excel writes and reads as the first line of a file, to say what stands between its values. */
const separatorLine = /^\ufeff?"?sep=(.)"?[,;\t]*$/i

/** How the column with the addresses may be called, in letters and digits alone; what is named first goes first. */
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

/** Of two columns alike the first is kept; the other is only looked at for what it says of the person. */
const repeatedName = (name: string, index: number) => `${name} (column ${index + 1})`
const isRepeated = (column: string) => /. \(column \d+\)$/.test(column)

/** Spreadsheets leave out empty cells at the end of a row: what is missing is empty. */
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

/** A broken row has at most so many cells too many: more are not put together. */
const maxSurplus = 20

/** A value with a delimiter in it was not quoted: which one it was, nobody can say, so each may be. */
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

/** What a line may say where a quotation mark is missing: its cells as they are without any. */
function readingsOf(text: string, columns: string[], delimiter: string): Record<string, string>[] {
  return mergedReadings(text.replaceAll('"', '').split(delimiter), columns)
}

/** Whether a line could be a row, or the first line of one: as many columns as there are, and an address among them. */
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
 * Puts lines together to records: a quoted value may hold line ends. Where the next line would be a row of its own
 * (`isRow`), the quotation mark was forgotten: the line that opened it is a problem, and those after it are read anew.
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

/** Lines, as many at a time as come. What makes a line too long is dropped, but for one character that tells of it. */
async function* linesOf(file: string, encoding: string): AsyncGenerator<string[]> {
  const text = new TextDecoder(encoding)
  let rest = ''
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    const all = rest + text.decode(chunk, { stream: true })
    const cut = all.endsWith('\r') ? all.length - 1 : all.length // its \n may be still to come
    const lines = all.slice(0, cut).split(/\r\n|\r|\n/)
    rest = (lines.pop() ?? '').slice(0, maxLineLength + 1) + all.slice(cut)
    yield lines
  }
  yield (rest + text.decode()).split(/\r\n|\r|\n/)
}

/** Looks through the file once: UTF-8 unless its bytes say otherwise; the delimiter that the first line has most of. */
export async function detectDialect(file: string): Promise<Dialect> {
  const utf8 = new TextDecoder('utf-8')
  let encoding: string | undefined
  let head = Buffer.alloc(0)
  let validCount = 0
  let invalidCount = 0
  const count = (text: string) => {
    const strange = text.match(/[^\0-\x7f]/g) ?? []
    const broken = strange.filter((character) => character === '\ufffd').length
    invalidCount += broken
    validCount += strange.length - broken
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
  encoding ??= invalidCount > validCount ? 'windows-1252' : 'utf-8' // else what spreadsheets write in Western Europe
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

/** By its byte order mark, or by the zeros that UTF-16 puts beside the first letter. */
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
