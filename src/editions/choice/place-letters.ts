import type { Reason } from '../../store/events/reason.ts'
import type { PendingLetter } from '../../store/letters/printing.ts'
import type { Section } from '../digest.ts'
import type { LetterChoice } from './choice.ts'

/** Letters that no section may take now. */
export function barredLetters(letters: PendingLetter[]): LetterChoice[] {
  return letters.flatMap((letter): LetterChoice[] => {
    const { retracted, decision } = letter
    const reason: Reason = retracted
      ? { code: 'retracted', who: retracted.who, words: retracted.reason }
      : { code: 'dropped', who: decision?.who ?? '', isExcluded: false }
    return retracted || decision ? [{ ...leftOut(letter, '', reason), isTemporary: true }] : []
  })
}

/**
 * Gives the first places of a section to letters, in the order in which they are given. No rule for articles applies, only
 * the room: `whyFull` says why there is none when that number of places is taken.
 */
export function placeLetters(
  letters: PendingLetter[],
  section: Section,
  whyFull: (taken: number) => Reason | null,
): LetterChoice[] {
  if (section.layout !== 'have-your-say') return []
  let taken = 0
  return letters.map((letter, index) => {
    const refusal = whyFull(taken)
    if (refusal !== null) return leftOut(letter, section.name, refusal)
    taken += 1
    const place = { rank: index + 1, total: letters.length, order: 'letters' as const, backfill: false }
    const reason: Reason = { code: 'chosen', ...place }
    return { kind: 'letter', letter, section: section.name, position: taken, reason }
  })
}

/** Letters that no section has looked at. */
export function unplacedLetters(letters: PendingLetter[]): LetterChoice[] {
  return letters.map((letter) => leftOut(letter, '', { code: 'no-letter-section' }))
}

function leftOut(letter: PendingLetter, section: string, reason: Reason): LetterChoice {
  return { kind: 'letter', letter, section, position: null, reason }
}
