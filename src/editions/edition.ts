import type { WholeArticle } from '../store/articles/article.ts'
import type { CorrectionView } from '../store/corrections/corrections.ts'
import type { Letter } from '../store/letters/letters.ts'
import type { EditionRow } from '../store/schema.ts'
import type { Digest, Section } from './digest.ts'
import type { OwnBlock } from './edits/edit.ts'

/** An edition with its articles and letters, ready to be rendered. */
export type Draft = {
  edition: EditionRow & { number: number }
  digest: Digest
  sections: DraftSection[]
  /** Of what earlier editions said. */
  corrections: DraftCorrection[]
  slot: string
  /** Absent where no editor changed anything. */
  edited?: EditedTexts
}

/** What editors wrote: in place of the patterns of the job file, and in blocks. `editIds`: the edits in force. */
export type EditedTexts = { subject?: string; preheader?: string; blocks: OwnBlock[]; editIds: string[] }

/** An accepted correction: what was said in which edition, and what is right in the editor's words. */
export type DraftCorrection = Pick<CorrectionView, 'id' | 'kind' | 'said' | 'url' | 'words' | 'number' | 'dueAt'>

export type DraftSection = { section: Section; items: DraftItem[] }

/** What a section prints, in order. */
export type DraftItem = { kind: 'article'; article: DraftArticle } | { kind: 'letter'; letter: DraftLetter }

/** `feedTitle`: the headline of the feed, where an editor reworded it. */
export type DraftArticle = WholeArticle & { feedTitle?: string }

export type DraftLetter = Pick<Letter, 'id' | 'headline' | 'text' | 'name' | 'place' | 'receivedAt' | 'version'>

export function articlesIn(sections: Pick<DraftSection, 'items'>[]): DraftArticle[] {
  return sections.flatMap(({ items }) => items.flatMap((item) => (item.kind === 'article' ? [item.article] : [])))
}

export function lettersIn(sections: Pick<DraftSection, 'items'>[]): DraftLetter[] {
  return sections.flatMap(({ items }) => items.flatMap((item) => (item.kind === 'letter' ? [item.letter] : [])))
}

/** One rendering: what every subscriber of this variant gets, but for the slot. `head` is JSON of what the headers say. */
export type Rendered = {
  head: string
  subject: string
  preheader: string
  html: string
  text: string
  problems: string[]
}

/** Turns a draft into bytes. Given by whoever puts the steps together: rendering is the next step's work. */
export type Render = (draft: Draft) => Promise<Rendered>

/** "Public Sector Weekly 31", or with its due time when it has no number. */
export function editionName(edition: Pick<EditionRow, 'digest' | 'number' | 'dueAt'>): string {
  return edition.number === null ? `${edition.digest} of ${edition.dueAt}` : `${edition.digest} ${edition.number}`
}
