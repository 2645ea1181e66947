import type { WholeArticle } from '../store/articles/article.ts'
import type { CorrectionView } from '../store/corrections/corrections.ts'
import type { Letter } from '../store/letters/letters.ts'
import type { StoredPicture } from '../store/pictures/pictures.ts'
import type { EditionRow } from '../store/schema.ts'
import type { Digest, Section } from './digest.ts'
import type { OwnBlock } from './edits/edit.ts'

/** An edition with its contents, ready to be rendered. */
export type Draft = {
  edition: EditionRow & { number: number }
  digest: Digest
  sections: DraftSection[]
  /** Corrections to earlier editions. */
  corrections: DraftCorrection[]
  slot: string
  /** Absent if no editor changed the edition. */
  edited?: EditedTexts
  /** Our own pictures, by `pictureKey`; a picture without one is not shown. Absent: pictures are links. */
  pictures?: ReadonlyMap<string, StoredPicture>
}

/** Texts by editors: they replace the patterns of the job file, or add blocks. `editIds`: the edits in force. */
export type EditedTexts = { subject?: string; preheader?: string; blocks: OwnBlock[]; editIds: string[] }

/** An accepted correction: `said` is the printed text, `words` the editor's correction. */
export type DraftCorrection = Pick<CorrectionView, 'id' | 'kind' | 'said' | 'url' | 'words' | 'number' | 'dueAt'>

export type DraftSection = { section: Section; items: DraftItem[] }

/** An item of a section, in print order. */
export type DraftItem = { kind: 'article'; article: DraftArticle } | { kind: 'letter'; letter: DraftLetter }

/**
 * `feedTitle`: the headline from the feed, if an editor reworded it. `alsoIn`: the first other sources with the same story,
 * where the section names them, and how many more there are.
 */
export type DraftArticle = WholeArticle & {
  feedTitle?: string
  alsoIn?: { source: string; url: string }[]
  alsoInMore?: number
}

export type DraftLetter = Pick<Letter, 'id' | 'headline' | 'text' | 'name' | 'place' | 'receivedAt' | 'version'>

export function articlesIn(sections: Pick<DraftSection, 'items'>[]): DraftArticle[] {
  return sections.flatMap(({ items }) => items.flatMap((item) => (item.kind === 'article' ? [item.article] : [])))
}

export function lettersIn(sections: Pick<DraftSection, 'items'>[]): DraftLetter[] {
  return sections.flatMap(({ items }) => items.flatMap((item) => (item.kind === 'letter' ? [item.letter] : [])))
}

/** A rendered variant, the same for each subscriber except the slot. `head` is JSON of the header values. */
export type Rendered = {
  head: string
  subject: string
  preheader: string
  html: string
  text: string
  problems: string[]
}

/** Renders a draft to an email. The caller passes in the implementation. */
export type Render = (draft: Draft) => Promise<Rendered>

/** "Public Sector Weekly 31", or with its due time when it has no number. */
export function editionName(edition: Pick<EditionRow, 'digest' | 'number' | 'dueAt'>): string {
  return edition.number === null ? `${edition.digest} of ${edition.dueAt}` : `${edition.digest} ${edition.number}`
}
