import type { LetterContent } from '../../store/letters/letters.ts'
import { type Instant, msBetween } from '../../time/clock.ts'

/** A letter as somebody typed it. `received` is a day such as 2026-11-20, or empty for today. */
export type TypedLetter = { headline: string; text: string; name: string; place: string; received: string }

/** What is wrong with it, for the person who typed it. */
export type LetterProblem = { field: keyof TypedLetter; message: string }

/** The longest that is printed, in characters; a letter is printed whole. 4,000 characters are some 650 words. */
export const maxLengths = { headline: 150, text: 4000, name: 100, place: 100 } as const

/**
 * The letter as it would be printed, or every problem with it. Control characters and overrides of the reading direction
 * are taken away; a blank line begins a new paragraph, and other line breaks are spaces.
 */
export function readLetter(
  typed: TypedLetter,
  zone: string,
  now: Instant,
): LetterContent | { problems: LetterProblem[] } {
  const receivedAt = parseReceivedDate(typed.received.trim(), zone, now)
  const words = {
    headline: oneLine(typed.headline),
    text: paragraphsOf(typed.text).join('\n\n'),
    name: oneLine(typed.name),
    place: oneLine(typed.place),
  }
  const missing = (['headline', 'text', 'name'] as const).flatMap((field) =>
    isEmpty(words[field]) ? [{ field, message: missingMessages[field] }] : [],
  )
  const tooLong = (['headline', 'text', 'name', 'place'] as const).flatMap((field) => {
    const length = [...words[field]].length
    const over = length - maxLengths[field]
    if (over <= 0) return []
    const message = `has ${formatNumber(length)} characters, and ${formatNumber(maxLengths[field])} are printed: shorten it by ${formatNumber(over)}`
    return [{ field, message }]
  })
  const dateProblems =
    receivedAt === undefined
      ? [{ field: 'received' as const, message: 'is not a day that has been: expected one such as 2026-11-20' }]
      : []
  const problems = [...missing, ...tooLong, ...dateProblems]
  if (problems.length > 0 || receivedAt === undefined) return { problems }
  return { ...words, receivedAt }
}

const missingMessages = {
  headline: 'is missing: a letter stands under one',
  text: 'is empty',
  name: 'is missing: it is printed under the letter',
}

/** The paragraphs of a letter, each on one line. */
export function paragraphsOf(text: string): string[] {
  return text
    .replace(/\r\n?|[\u0085\u2028\v]/g, '\n')
    .replace(/[\f\u2029]/g, '\n\n')
    .split(/\n\s*\n/)
    .map(oneLine)
    .filter((paragraph) => paragraph !== '')
}

/** Control characters, halves of characters, overrides of the reading direction. */
const strippedCharacters = /[^\P{Cc}\s]|[\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/gu

function oneLine(text: string): string {
  return text.toWellFormed().replace(strippedCharacters, '').replace(/\s+/g, ' ').trim()
}

/** Nothing that can be seen: only marks, joiners and blanks. */
function isEmpty(text: string): boolean {
  return !/[\p{L}\p{N}\p{P}\p{S}]/u.test(text)
}

/** An instant of that day in that zone: for today, now. Undefined: it is no day, or has not come yet. */
function parseReceivedDate(typed: string, zone: string, now: Instant): Instant | undefined {
  const dayOf = (instant: Instant) => new Intl.DateTimeFormat('sv-SE', { timeZone: zone }).format(new Date(instant))
  if (typed === '' || typed === dayOf(now)) return now
  if (!/^\d{4}-\d\d-\d\d$/.test(typed)) return undefined
  // At noon in London it is tomorrow in Auckland; one of the two is within the day, in every zone there is.
  const instants = [`${typed}T12:00:00.000Z`, `${typed}T00:00:00.000Z`]
  const instant = instants.find((one) => !Number.isNaN(Date.parse(one)) && dayOf(one) === typed)
  return instant === undefined || msBetween(instant, now) < 0 ? undefined : instant
}

function formatNumber(count: number): string {
  return count.toLocaleString('en-GB')
}
