import type { Candidate } from '../../store/articles/articles.ts'
import type { Reason } from '../../store/events/reason.ts'
import type { PendingLetter } from '../../store/letters/printing.ts'

/**
 * `position` in the section starts at 1; null: passed over. `isTemporary`: the reason
 * may cease to apply, so a later edition may include the item.
 */
type Placement = { section: string; position: number | null; reason: Reason; isTemporary?: true }

export type ArticleChoice = Placement & { kind: 'article'; article: Candidate }
export type LetterChoice = Placement & { kind: 'letter'; letter: PendingLetter }
export type Choice = ArticleChoice | LetterChoice

/** The id, headline and URL of the chosen article or letter; the URL of a letter is empty. */
export function itemOf(choice: Choice): { id: string; title: string; url: string } {
  if (choice.kind === 'article') return choice.article
  return { id: choice.letter.id, title: choice.letter.headline, url: '' }
}

export function articleChoices(choices: Choice[]): ArticleChoice[] {
  return choices.filter((choice) => choice.kind === 'article')
}

export function letterChoices(choices: Choice[]): LetterChoice[] {
  return choices.filter((choice) => choice.kind === 'letter')
}

/** The choices with a position. */
export function chosenOnly<C extends Choice>(choices: C[]): C[] {
  return choices.filter(({ position }) => position !== null)
}

export function passedOver(article: Candidate, section: string, reason: Reason): ArticleChoice {
  return { kind: 'article', article, section, position: null, reason }
}

/** The choice as passed over for a temporary reason. */
export function withoutPlace<C extends Choice>(choice: C, reason: Reason): C {
  return { ...choice, position: null, reason, isTemporary: true }
}
