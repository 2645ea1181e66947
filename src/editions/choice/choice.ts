import type { Candidate } from '../../store/articles/articles.ts'
import type { Reason } from '../../store/events/reason.ts'
import type { PendingLetter } from '../../store/letters/printing.ts'

/**
 * Chosen if it has a position in its section, from 1; `isTemporary`: it was passed
 * over for something that can pass, and not for what it is or for what else there was.
 */
type Placement = { section: string; position: number | null; reason: Reason; isTemporary?: true }

export type ArticleChoice = Placement & { kind: 'article'; article: Candidate }
export type LetterChoice = Placement & { kind: 'letter'; letter: PendingLetter }
export type Choice = ArticleChoice | LetterChoice

/** The id, headline and address of what a choice is about; a letter has no address. */
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

/** What has a position. */
export function chosenOnly<C extends Choice>(choices: C[]): C[] {
  return choices.filter(({ position }) => position !== null)
}

export function passedOver(article: Candidate, section: string, reason: Reason): ArticleChoice {
  return { kind: 'article', article, section, position: null, reason }
}

/** The same choice without its place, for a reason that can pass. */
export function withoutPlace<C extends Choice>(choice: C, reason: Reason): C {
  return { ...choice, position: null, reason, isTemporary: true }
}
