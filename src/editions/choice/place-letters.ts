import type { Reason } from '../../store/events/reason.ts'
import type { PendingLetter } from '../../store/letters/printing.ts'
import type { Section } from '../digest.ts'
import type { LetterChoice } from './choice.ts'

/** Passed-over choices for letters that an editor retracted or dropped. */
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
 * Gives the first places of a `have-your-say` section to letters, in their given order. Article rules do not apply:
 * `whyFull` returns the reason when no place is left after `taken` letters, or null.
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

/** Passed-over choices for letters that no section considered. */
export function unplacedLetters(letters: PendingLetter[]): LetterChoice[] {
  return letters.map((letter) => leftOut(letter, '', { code: 'no-letter-section' }))
}

function leftOut(letter: PendingLetter, section: string, reason: Reason): LetterChoice {
  return { kind: 'letter', letter, section, position: null, reason }
}
