import type { WholeArticle } from '../store/articles.ts'
import type { EditionRow } from '../store/schema.ts'
import type { Digest, Section } from './digest.ts'

/** An edition with its articles, ready to be rendered. */
export type Draft = { edition: EditionRow & { number: number }; digest: Digest; sections: DraftSection[]; slot: string }

export type DraftSection = { section: Section; articles: WholeArticle[] }

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
