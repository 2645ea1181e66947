import { formatSize } from '../text/words.ts'
import { durationText } from '../time/clock.ts'

/** A parsed message of `templates/locales`: texts and placeholders. The head of each file describes the syntax. */
export type Message = Part[]

type Part = string | NumberSign | Placeholder
type NumberSign = { numberSign: true }
/** `cases` are those of a plural or select, by key. */
export type Placeholder = { name: string; format: string; cases: Map<string, Message>; separator: string }

/** `describe` converts objects to text; `formats` are additional formats for strings, given all values too. */
export type FormatOptions = {
  locale: string
  describe: (value: object) => string
  formats: Record<string, (value: string, values: Record<string, unknown>) => string>
}

/** Parses one message. Throws an Error that quotes the message if its syntax is wrong. */
export function parseMessage(source: string): Message {
  const reader = new MessageReader(source)
  const message = reader.message()
  if (!reader.isAtEnd) throw reader.error('a brace is closed that was never opened')
  return message
}

/** The placeholders of a message in order, with those inside the cases of others. */
export function placeholdersIn(message: Message): Placeholder[] {
  return message.flatMap((part) =>
    typeof part === 'string' || 'numberSign' in part
      ? []
      : [part, ...[...part.cases.values()].flatMap((inner) => placeholdersIn(inner))],
  )
}

class MessageReader {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  get isAtEnd(): boolean {
    return this.#at === this.#source.length
  }

  error(problem: string): Error {
    return new Error(`${problem}, at character ${this.#at} of “${this.#source}”`)
  }

  /** Reads a message up to its closing brace or the end of the source. */
  message(): Message {
    const parts: Message = []
    while (!this.isAtEnd && this.#source[this.#at] !== '}') {
      if (this.#take(/\{/y)) parts.push(this.#placeholder())
      else if (this.#take(/#/y)) parts.push({ numberSign: true })
      else parts.push(this.#take(/[^{}#]+/y) ?? '')
    }
    return parts
  }

  #placeholder(): Placeholder {
    const name = this.#require(/\s*\w+\s*/y, 'a name is missing').trim()
    const format =
      this.#take(/,\s*\w+\s*/y)
        ?.slice(1)
        .trim() ?? ''
    const hasMore = this.#take(/,/y) !== undefined
    const cases = new Map<string, Message>()
    let separator = ''
    if (hasMore && format === 'list')
      separator = this.#require(/\s*\{[^{}]*\}/y, 'a separator is missing')
        .trim()
        .slice(1, -1)
    for (let key = hasMore && this.#take(/\s*[=\w-]+\s*\{/y); key; key = this.#take(/\s*[=\w-]+\s*\{/y)) {
      cases.set(key.slice(0, -1).trim(), this.message())
      this.#require(/\}/y, 'a case is not closed')
    }
    this.#require(/\s*\}/y, 'a placeholder is not closed')
    return { name, format, cases, separator }
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const text = pattern.exec(this.#source)?.[0]
    this.#at += text?.length ?? 0
    return text
  }

  #require(pattern: RegExp, problem: string): string {
    const text = this.#take(pattern)
    if (text === undefined) throw this.error(problem)
    return text
  }
}

/** Fills a message with values. Throws an Error for a value that is missing or does not fit its format. */
export function formatMessage(message: Message, values: Record<string, unknown>, options: FormatOptions): string {
  return fill(message, values, options, undefined)
}

function fill(
  message: Message,
  values: Record<string, unknown>,
  options: FormatOptions,
  count: number | undefined,
): string {
  return message
    .map((part) => {
      if (typeof part === 'string') return part
      if ('numberSign' in part) return count === undefined ? '#' : formatNumber(count, options)
      return fillPlaceholder(part, values, options, count)
    })
    .join('')
}

function fillPlaceholder(
  placeholder: Placeholder,
  values: Record<string, unknown>,
  options: FormatOptions,
  count: number | undefined,
): string {
  const { name, format, cases } = placeholder
  const value = values[name]
  const wrong = () => new Error(`the value {${name}${format && `, ${format}`}} cannot be ${JSON.stringify(value)}`)
  if (value === undefined) throw wrong()
  if (format === 'select') return fill(caseOf(cases, [selectKey(value)]), values, options, count)
  if (format === 'plural') {
    const number = Array.isArray(value) ? value.length : value
    if (typeof number !== 'number') throw wrong()
    const keys = [`=${number}`, new Intl.PluralRules(options.locale).select(number)]
    return fill(caseOf(cases, keys), values, options, number)
  }
  const text = textOf(value, placeholder, values, options)
  if (text === undefined) throw wrong()
  return text
}

/** The text of a value in a format without cases; undefined if the value does not fit the format. */
function textOf(
  value: unknown,
  { format, separator }: Placeholder,
  values: Record<string, unknown>,
  options: FormatOptions,
): string | undefined {
  if (format === 'list') return Array.isArray(value) ? textsOf(value, options).join(separator) : undefined
  if (format === 'first') return Array.isArray(value) ? firstOf(value, options) : undefined
  if (typeof value === 'number') return formatted(value, format, options)
  if (typeof value === 'string') return options.formats[format]?.(value, values) ?? value
  const mayBeReason = format === '' || format === 'answer'
  return typeof value === 'object' && value !== null && mayBeReason ? options.describe(value) : undefined
}

function caseOf(cases: Map<string, Message>, keys: string[]): Message {
  const key = [...keys, 'other'].find((one) => cases.has(one))
  return cases.get(key ?? '') ?? []
}

function selectKey(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : 'other'
  return typeof value === 'object' && value !== null ? 'other' : String(value)
}

function textsOf(items: unknown[], { describe }: FormatOptions): string[] {
  return items.map((item) => (typeof item === 'string' ? item : describe(item as object)))
}

const maxNamed = 3

/** The first `maxNamed` texts of a list: `a.example, b.example, c.example, …`. */
function firstOf(items: unknown[], options: FormatOptions): string {
  const texts = textsOf(items, options)
  return [...texts.slice(0, maxNamed), ...(texts.length > maxNamed ? ['…'] : [])].join(', ')
}

function formatted(value: number, format: string, options: FormatOptions): string {
  if (format === 'duration') return durationText(value)
  if (format === 'size') return formatSize(value)
  if (format === 'rate') return rateText(value)
  return format === 'number' ? formatNumber(value, options) : String(value)
}

/** `0.5 messages a second`, `6 messages a minute`. */
function rateText(perSecond: number): string {
  const [count, unit] = perSecond >= 0.5 ? [perSecond, 'second'] : [perSecond * 60, 'minute']
  const rounded = count >= 10 ? Math.round(count) : Math.round(count * 10) / 10
  return `${rounded} ${rounded === 1 ? 'message' : 'messages'} a ${unit}`
}

/** Formats a number, with at most one decimal below ten and none from ten on. */
function formatNumber(value: number, { locale }: FormatOptions): string {
  return value.toLocaleString(locale, { maximumFractionDigits: Math.abs(value) < 10 ? 1 : 0 })
}
