import { type Instant, toInstant } from '../../time/clock.ts'
import { monthNumber, zoneOffsetHours } from './calendar.ts'

/** How a feed writes the numbers of a date: `20/11/26`, `11/20/26` or `26/11/20`. */
export type DateOrder = 'day-first' | 'month-first' | 'year-first'

/**
 * Reads a date of a feed: RFC 822 with any zone, ISO 8601 (also partial), asctime, seconds since 1970, and common written
 * forms in many languages. `order` is that of a date in numbers. UTC if it has no zone; null if it is not a date.
 */
export function readDate(text: string, order: DateOrder | null = null): Instant | null {
  const value = text.trim().slice(0, 100).replace(/\s+/g, ' ')
  if (value === '') return null
  if (standardDate.test(value)) {
    const milliseconds = Date.parse(value)
    if (milliseconds > oldest && milliseconds < latest) return toInstant(milliseconds)
  }
  const bare = value.replace(/^["'] ?| ?["']$/g, '').replace(irishAutumn, '$1')
  const ordered = order && readOrdered(bare, order)
  if (ordered) return fromParts(ordered)
  for (const read of [readEpoch, readEastAsian, readIso, readDayFirst, readMonthFirst, readNumeric, readMonth]) {
    const parts = read(bare)
    if (parts) return fromParts(parts)
  }
  return null
}

/** Irish months of two words. */
const irishAutumn = /\b(me[aá]n|deireadh) f[oó]mhair\b/i

/** The standard forms, which most feeds use, for speed. Not the year 0001, which some programs write for no date. */
const standardDate =
  /^(?:\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)|(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} [12]\d{3} \d\d:\d\d:[0-5]\d (?:GMT|[+-]\d{4}))$/
const [oldest, latest] = [Date.UTC(1900, 0), Date.UTC(2201, 0)]

type Parts = { year: number; month: number; day: number; time: Time }
type Time = { seconds: number; offset: number }

const noTime: Time = { seconds: 0, offset: 0 }
const clockTime = String.raw`(\d{1,2})[:.h](\d{1,2})(?:[:.](\d{1,2})(?:[.,:]\d+)?)?\s*([ap]\.?m\.?)?\s*(\(?[a-z]{1,5}\)?(?:[+-]\d{1,2}:?\d{0,2})?|[+-] ?\d{1,2}:?\d{0,2})?`
const eastAsian =
  /^(\d{4})(?:년 ?|年|-)(\d{1,2})(?:월 ?|月|-)(\d{1,2})(?:일|日)?(?: ?(?:星期|周|週)\S)?(?: ?(오전|오후|[上下]午|午[前後]))? ?(?:(\d{1,2})(?:[:時时]|시 ?)(\d{1,2})(?:[:分]|분 ?)?(\d{1,2})?)?/
const iso = new RegExp(
  String.raw`^([+-]?\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?(?:(?: ?t ?|,? )(?:${clockTime}|(\d{2})(\d{2})?(\d{2})?(z|[+-]\d{2}:?\d{2})?))?`,
  'i',
)
const looseIso = new RegExp(
  String.raw`^(\d{4})[-/.](\d{1,2}|\p{L}{3,12})[-/.](\d{1,2})(?:(?: ?t ?|,? )${clockTime})?`,
  'iu',
)
const dayFirst = new RegExp(
  String.raw`^(?:[\p{L}.]+ ?,? ?)??(\d{1,2})(?:st|nd|rd|th|er|\.)?[ ./-]*(?:de )?(\p{L}{3,12})\.?,?[ ./-]*(?:de )?'?(\d{4}|\d{2})(?!\d)(?:,?(?: at| um| -| [a-z]{3,6}day)? ?t?${clockTime})?`,
  'iu',
)
const monthFirst = new RegExp(
  String.raw`^(?:\p{L}+\.?,? )??(\p{L}{3,12})\.? (\d{1,2})(?:st|nd|rd|th)?,? (?:(\d{4})(?!\d),?(?: at| -)?(?: ${clockTime})?|${clockTime} (\d{4}))`,
  'iu',
)
const numeric = new RegExp(
  String.raw`^(?:\p{L}+\.?,? )?(\d{1,2}) ?([./-]) ?(\d{1,2}) ?[./-] ?(\d{4}|(?<=[./] ?)\d{2})(?!\d)(?:,?(?: -)? ${clockTime})?`,
  'iu',
)

const ordered = new RegExp(
  String.raw`^(?:\p{L}+\.?,? )?(\d{1,2}) ?([./-]) ?(\d{1,2}) ?[./-] ?(\d{4}|\d{2})(?!\d)(?:,?(?: -)? ${clockTime})?`,
  'iu',
)

/** Seconds since 1970, or milliseconds. */
function readEpoch(text: string): Parts | null {
  if (!/^\d{9,10}$|^\d{12,13}$/.test(text)) return null
  const date = new Date(Number(text) * (text.length > 10 ? 1 : 1000))
  const seconds = date.getUTCHours() * 3600 + date.getUTCMinutes() * 60 + date.getUTCSeconds()
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    time: { seconds, offset: 0 },
  }
}

/** 2026년 11월 20일 오후 9:30, Korean time; 2026年11月20日 9時30分; 2026年11月20日 星期五 下午 9:30. */
function readEastAsian(text: string): Parts | null {
  if (!/[년年]|오[전후]/.test(text)) return null
  const match = eastAsian.exec(text)
  if (!match) return null
  const meridiem = match[4] ? (/오후|下午|午後/.test(match[4]) ? 'pm' : 'am') : undefined
  const isKorean = /[년오]/.test(text)
  const time = timeOf(match.slice(5, 8), meridiem, isKorean ? '+0900' : undefined)
  return { year: Number(match[1]), month: Number(match[2]), day: Number(match[3]), time }
}

function readIso(text: string): Parts | null {
  const ordinal = /^(\d{4})-?(\d{3})$/.exec(text)
  if (ordinal) return { year: Number(ordinal[1]), month: 1, day: Number(ordinal[2]), time: noTime }
  const short = /^(\d{2})(-?)(\d{2})\2(\d{2})$/.exec(text)
  if (short) return { year: fullYear(short[1]), month: Number(short[3]), day: Number(short[4]), time: noTime }
  const week = /^(\d{4})-?W(\d{2})(?:-?([1-7]))?/i.exec(text)
  if (week) return { year: Number(week[1]), month: 1, day: dayOfWeek(week), time: noTime }
  const found = iso.exec(text)
  const match = found?.[2] ? found : (looseIso.exec(text) ?? found)
  if (!match) return null
  const compact = match[9] ? timeOf([match[9], match[10] ?? '00', match[11]], undefined, match[12]) : null
  const time = match[4] ? timeOf(match.slice(4, 7), match[7], match[8]) : compact
  const month = monthNumber(match[2]) ?? Number(match[2] ?? 1)
  if (Number.isNaN(month)) return null
  return { year: Number(match[1]), month, day: Number(match[3] ?? 1), time: time ?? noTime }
}

/** ISO 8601 week date → day of the year; the week with 4 January is the first. */
function dayOfWeek([, year, week, day]: RegExpExecArray): number {
  const fourth = new Date(Date.UTC(Number(year), 0, 4)).getUTCDay() || 7
  return 4 - fourth + (Number(week) - 1) * 7 + Number(day ?? 1)
}

function readDayFirst(text: string): Parts | null {
  const match = dayFirst.exec(text)
  const month = monthNumber(match?.[2])
  if (!match || !month) return null
  return { year: fullYear(match[3]), month, day: Number(match[1]), time: timeOf(match.slice(4, 7), match[7], match[8]) }
}

function readMonthFirst(text: string): Parts | null {
  const match = monthFirst.exec(text)
  const month = monthNumber(match?.[1])
  if (!match || !month) return null
  const time = match[3]
    ? timeOf(match.slice(4, 7), match[7], match[8])
    : timeOf(match.slice(9, 12), match[12], match[13])
  return { year: Number(match[3] ?? match[14]), month, day: Number(match[2]), time }
}

/** A date in numbers, in the order of its feed; with dots the month is never first. */
function readOrdered(text: string, order: DateOrder): Parts | null {
  const match = ordered.exec(text)
  if (!match) return null
  const [, first = '', separator, second = '', last = ''] = match
  const isYearFirst = order === 'year-first' && first.length === 2 && last.length === 2
  const isMonthFirst = order === 'month-first' && separator !== '.'
  const time = timeOf(match.slice(5, 8), match[8], match[9])
  if (isYearFirst) return { year: fullYear(first), month: Number(second), day: Number(last), time }
  const [day, month] = isMonthFirst ? [second, first] : [first, second]
  return { year: fullYear(last), month: Number(month), day: Number(day), time }
}

/** 24.12.2017, 24.12.17, and 24/12/2017 if the day cannot be a month; else month first: 11/24/2017, 11/5/2017. */
function readNumeric(text: string): Parts | null {
  const match = numeric.exec(text)
  if (!match) return null
  const [first, last] = [Number(match[1]), Number(match[3])]
  const dayComesFirst = match[2] === '.' || first > 12
  const time = timeOf(match.slice(5, 8), match[8], match[9])
  return { year: fullYear(match[4]), month: dayComesFirst ? last : first, day: dayComesFirst ? first : last, time }
}

/** November 2026 → its first day, as for 2026-11. */
function readMonth(text: string): Parts | null {
  const match = /^(\p{L}{3,12})\.?,? (\d{4})$/u.exec(text)
  const month = monthNumber(match?.[1])
  return month ? { year: Number(match?.[2]), month, day: 1, time: noTime } : null
}

function fromParts({ year, month, day, time }: Parts): Instant | null {
  const mayBeOrdinal = month === 1 // the day of an ordinal or week date counts from 1 January
  if (year < 1900 || year > 2200 || month < 1 || month > 12 || day > (mayBeOrdinal ? 371 : 31)) return null
  if (day < (mayBeOrdinal ? -2 : 1) || day === 0 || time.seconds > 86_400) return null
  return toInstant(Date.UTC(year, month - 1, day) + (time.seconds - time.offset) * 1000)
}

function timeOf(
  [hours, minutes, seconds]: (string | undefined)[],
  meridiem: string | undefined,
  zone: string | undefined,
): Time {
  if (hours === undefined) return noTime
  const afternoon = meridiem ? (/^p/i.test(meridiem) ? 12 : 0) : null
  const hour = afternoon === null ? Number(hours) : (Number(hours) % 12) + afternoon
  return { seconds: hour * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0), offset: offsetSeconds(zone) }
}

/** Seconds east of Greenwich. */
function offsetSeconds(zone: string | undefined): number {
  const number = /([+-]) ?(\d{1,2}):?(\d{2})?/.exec(zone ?? '')
  if (number) return (number[1] === '-' ? -1 : 1) * (Number(number[2]) * 3600 + Number(number[3] ?? 0) * 60)
  return (zoneOffsetHours[(zone ?? '').toLowerCase().replace(/[()]/g, '')] ?? 0) * 3600
}

function fullYear(digits: string | undefined): number {
  const year = Number(digits)
  return digits?.length === 2 ? year + (year < 70 ? 2000 : 1900) : year
}
