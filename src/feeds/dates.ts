import { type Instant, toInstant } from '../clock.ts'

/**
 * What feeds write for a date: RFC 822 with any zone, ISO 8601 whole or in part, asctime, and the forms that people
 * type. Without a zone it is UTC. Null for what is no date: a bad date never costs the entry.
 */
export function readDate(text: string): Instant | null {
  const value = text.trim().slice(0, 100).replace(/\s+/g, ' ')
  if (value === '') return null
  for (const read of [readIso, readDayFirst, readMonthFirst, readNumeric]) {
    const parts = read(value)
    if (parts) return fromParts(parts)
  }
  return null
}

type Parts = { year: number; month: number; day: number; time: Time }
type Time = { seconds: number; offset: number }

const noTime: Time = { seconds: 0, offset: 0 }
const clockTime = String.raw`(\d{1,2})[:.h](\d{2})(?:[:.](\d{2})(?:[.,:]\d+)?)?\s*([ap]\.?m\.?)?\s*(\(?[a-z]{1,5}\)?(?:[+-]\d{1,2}:?\d{0,2})?|[+-] ?\d{1,2}:?\d{0,2})?`
const iso = new RegExp(
  String.raw`^([+-]?\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?(?:(?:t|,? )\s*(?:${clockTime}|(\d{2})(\d{2})(\d{2})?(z|[+-]\d{2}:?\d{2})?))?`,
  'i',
)
const loose = new RegExp(String.raw`^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:(?:t|,? )\s*${clockTime})?`, 'i')
const dayFirst = new RegExp(
  String.raw`^(?:[\p{L}.]+,? ?)??(\d{1,2})(?:st|nd|rd|th|er|\.)?[ ./-]*(?:de )?(\p{L}{3,12})\.?,?[ ./-]*(?:de )?'?(\d{4}|\d{2})(?!\d)(?:,?(?: at| um| -)? ?t?${clockTime})?`,
  'iu',
)
const monthFirst = new RegExp(
  String.raw`^(?:\p{L}+\.?,? )??(\p{L}{3,12})\.? (\d{1,2})(?:st|nd|rd|th)?,? (?:(\d{4})(?!\d),?(?: at| -)?(?: ${clockTime})?|${clockTime} (\d{4}))`,
  'iu',
)
const numeric = new RegExp(
  String.raw`^(?:\p{L}+\.?,? )?(\d{1,2})([./-])(\d{1,2})[./-](\d{4})(?:,? ${clockTime})?`,
  'iu',
)

function readIso(text: string): Parts | null {
  const ordinal = /^(\d{4})-?(\d{3})$/.exec(text)
  if (ordinal) return { year: Number(ordinal[1]), month: 1, day: Number(ordinal[2]), time: noTime }
  const found = iso.exec(text)
  const match = found?.[2] ? found : (loose.exec(text) ?? found)
  if (!match) return null
  const compact = match[9] ? timeOf(match.slice(9, 12), undefined, match[12]) : null
  const time = match[4] ? timeOf(match.slice(4, 7), match[7], match[8]) : compact
  return { year: Number(match[1]), month: Number(match[2] ?? 1), day: Number(match[3] ?? 1), time: time ?? noTime }
}

function readDayFirst(text: string): Parts | null {
  const match = dayFirst.exec(text)
  const month = monthOf(match?.[2])
  if (!match || !month) return null
  return { year: fullYear(match[3]), month, day: Number(match[1]), time: timeOf(match.slice(4, 7), match[7], match[8]) }
}

function readMonthFirst(text: string): Parts | null {
  const match = monthFirst.exec(text)
  const month = monthOf(match?.[1])
  if (!match || !month) return null
  const time = match[3]
    ? timeOf(match.slice(4, 7), match[7], match[8])
    : timeOf(match.slice(9, 12), match[12], match[13])
  return { year: Number(match[3] ?? match[14]), month, day: Number(match[2]), time }
}

/** 24.12.2017 and 24/12/2017 where the day cannot be a month; 11/24/2017 and 11/5/2017 as Americans mean it. */
function readNumeric(text: string): Parts | null {
  const match = numeric.exec(text)
  if (!match) return null
  const [first, last] = [Number(match[1]), Number(match[3])]
  const dayComesFirst = match[2] === '.' || first > 12
  const time = timeOf(match.slice(5, 8), match[8], match[9])
  return { year: Number(match[4]), month: dayComesFirst ? last : first, day: dayComesFirst ? first : last, time }
}

function fromParts({ year, month, day, time }: Parts): Instant | null {
  if (year < 1900 || year > 2200 || month < 1 || month > 12 || day < 1 || (day > 31 && month !== 1) || day > 366)
    return null
  if (time.seconds > 86_400) return null
  return toInstant(Date.UTC(year, month - 1, day) + (time.seconds - time.offset) * 1000)
}

function timeOf(
  [hours, minutes, seconds]: (string | undefined)[],
  half: string | undefined,
  zone: string | undefined,
): Time {
  if (hours === undefined) return noTime
  const afternoon = half ? (/^p/i.test(half) ? 12 : 0) : null
  const hour = afternoon === null ? Number(hours) : (Number(hours) % 12) + afternoon
  return { seconds: hour * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0), offset: offsetOf(zone) }
}

/** Seconds east of Greenwich. */
function offsetOf(zone: string | undefined): number {
  const number = /([+-]) ?(\d{1,2}):?(\d{2})?/.exec(zone ?? '')
  if (number) return (number[1] === '-' ? -1 : 1) * (Number(number[2]) * 3600 + Number(number[3] ?? 0) * 60)
  return (zones[(zone ?? '').toLowerCase().replace(/[()]/g, '')] ?? 0) * 3600
}

function fullYear(digits: string | undefined): number {
  const year = Number(digits)
  return digits?.length === 2 ? year + (year < 70 ? 2000 : 1900) : year
}

function monthOf(name: string | undefined): number | null {
  if (!name) return null
  const index = months.findIndex((starts) => starts.test(name))
  return index < 0 ? null : index + 1
}

// English, German, French, Spanish, Italian, Portuguese, Dutch, Russian; the first that matches.
const months = [
  /^(jan|ene|gen|янв)/i,
  /^(feb|fév|fev|фев)/i,
  /^(mar|mär|mrt|maa|мар)/i,
  /^(apr|avr|abr|апр)/i,
  /^(may|mai|mag|mei|мая|май)/i,
  /^(jun|juin|giu|июн)/i,
  /^(jul|juil|lug|июл)/i,
  /^(aug|aoû|aou|ago|авг)/i,
  /^(sep|set|сен)/i,
  /^(oct|okt|ott|out|окт)/i,
  /^(nov|ноя)/i,
  /^(dec|dez|déc|dic|дек)/i,
]

const zones: Record<string, number> = {
  ...{
    est: -5,
    edt: -4,
    cst: -6,
    cdt: -5,
    mst: -7,
    mdt: -6,
    pst: -8,
    pdt: -7,
    akst: -9,
    akdt: -8,
    hst: -10,
    ast: -4,
    adt: -3,
  },
  ...{
    et: -5,
    ct: -6,
    mt: -7,
    pt: -8,
    brt: -3,
    art: -3,
    bst: 1,
    wet: 0,
    west: 1,
    cet: 1,
    mez: 1,
    met: 1,
    cest: 2,
    mesz: 2,
  },
  ...{
    mest: 2,
    eet: 2,
    eest: 3,
    sast: 2,
    msk: 3,
    ist: 5.5,
    sgt: 8,
    hkt: 8,
    awst: 8,
    jst: 9,
    kst: 9,
    acst: 9.5,
    aest: 10,
  },
  ...{ aedt: 11, nzst: 12, nzdt: 13 },
}
