import { addMs, day, type Instant } from '../../time/clock.ts'
import { type DateOrder, readDate } from './dates.ts'

const orders: DateOrder[] = ['day-first', 'month-first', 'year-first']
/** The dots of `20.11.2026` say no more than that the month is not first. */
const numbers = /^(?:\p{L}+\.?,? )?(\d{1,2}) ?[/-] ?(\d{1,2}) ?[/-] ?(\d{4}|\d{2})(?!\d)/u

/**
 * The order of the numbers in all dates of a feed together, or null if it has no such date. What no number decides, dates
 * to come, the newest entry being first, and last the feed's language decide.
 */
export function dateOrder(
  dates: string[],
  { language, now }: { language: string | null; now: Instant },
): DateOrder | null {
  const texts = dates.map((text) => text.trim().slice(0, 100)).filter((text) => numbers.test(text))
  if (texts.length === 0) return null
  const [first = 'day-first', ...others] = byLanguage(language).filter((order) =>
    texts.every((text) => fits(text, order)),
  )
  if (others.length === 0) return first
  const latest = addMs(now, day)
  const rated = [first, ...others].map((order) => {
    const instants = texts.flatMap((text) => readDate(text, order) ?? [])
    return { order, toCome: instants.filter((instant) => instant > latest).length, isSorted: isNewestFirst(instants) }
  })
  const [best] = rated.toSorted(
    (one, other) => one.toCome - other.toCome || Number(other.isSorted) - Number(one.isSorted),
  )
  return best?.order ?? first
}

/** The likeliest first. */
function byLanguage(language: string | null): DateOrder[] {
  return /^en[-_]us$/i.test(language?.trim() ?? '') ? ['month-first', 'day-first', 'year-first'] : orders
}

/** Whether the numbers can be a day and a month in this order. */
function fits(text: string, order: DateOrder): boolean {
  const [, first = '', second = '', third = ''] = numbers.exec(text) ?? []
  const [dayText, monthText] =
    order === 'day-first' ? [first, second] : order === 'month-first' ? [second, first] : [third, second]
  if (order === 'year-first' && (third.length !== 2 || first.length !== 2)) return false
  return Number(dayText) >= 1 && Number(dayText) <= 31 && Number(monthText) >= 1 && Number(monthText) <= 12
}

/** Of two dates, either order may look sorted. */
function isNewestFirst(instants: Instant[]): boolean {
  return (
    new Set(instants).size > 2 &&
    instants.every((instant, index) => index === 0 || instant <= (instants[index - 1] ?? ''))
  )
}
