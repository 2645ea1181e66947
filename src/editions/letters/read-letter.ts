import type { LetterContent } from '../../store/letters/letters.ts'
import { splitParagraphs } from '../../text/paragraphs.ts'
import { formatNumber } from '../../text/words.ts'
import { type Instant, msBetween } from '../../time/clock.ts'
import { wallTimeAt } from '../../time/zone.ts'

/** A letter as typed in a form. `received` is a date such as 2026-11-20, or empty for today. */
export type TypedLetter = { headline: string; text: string; name: string; place: string; received: string }

/** A problem of a field, for the person who typed it. */
export type LetterProblem = { field: keyof TypedLetter; message: string }

/** Maximum lengths in characters; a letter is printed in full. 4,000 characters are about 650 words. */
export const maxLengths = { headline: 150, text: 4000, name: 100, place: 100 } as const

/**
 * Returns the letter as printed, or all problems. Control and bidirectional override characters are removed; a blank
 * line starts a paragraph, other line breaks become spaces.
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
  headline: 'is missing: every letter needs one',
  text: 'is empty',
  name: 'is missing: it is printed under the letter',
}

/** The paragraphs of a letter, one line each. */
export function paragraphsOf(text: string): string[] {
  return splitParagraphs(text, oneLine)
}

/** Control characters, bidirectional overrides, byte order marks and noncharacters. */
const strippedCharacters = /[^\P{Cc}\s]|[\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/gu

function oneLine(text: string): string {
  return text.toWellFormed().replace(strippedCharacters, '').replace(/\s+/g, ' ').trim()
}

/** Whether the text has no visible character, only marks, joiners and white space. */
function isEmpty(text: string): boolean {
  return !/[\p{L}\p{N}\p{P}\p{S}]/u.test(text)
}

/** An instant on the typed date in the zone, for today `now`. Undefined for an invalid or future date. */
function parseReceivedDate(typed: string, zone: string, now: Instant): Instant | undefined {
  const dayOf = (instant: Instant) => wallTimeAt(zone, instant).date
  if (typed === '' || typed === dayOf(now)) return now
  if (!/^\d{4}-\d\d-\d\d$/.test(typed)) return undefined
  // Noon UTC can be the next date in Auckland; in every zone, noon or midnight UTC is on the date.
  const instants = [`${typed}T12:00:00.000Z`, `${typed}T00:00:00.000Z`]
  const instant = instants.find((one) => !Number.isNaN(Date.parse(one)) && dayOf(one) === typed)
  return instant === undefined || msBetween(instant, now) < 0 ? undefined : instant
}
