import { describeReason } from '../../describe/describe.ts'
import type { Reason } from '../../store/events/reason.ts'
import { fromJson } from '../../store/json.ts'
import type { EditRow } from '../../store/schema.ts'

/** The article's headline at the time of the edit, for descriptions even after the article is deleted. */
type Headline = { headline: string }

export type OwnPicture = { url: string; alt: string }

/** A block written by editors. `before` names the section that follows it; empty: the block is after the last section. */
export type OwnBlock = {
  heading: string
  /** Paragraphs with blank lines between them; may be empty. */
  text: string
  link: { url: string; text: string } | null
  picture: OwnPicture | null
  before: string
}

/**
 * An editor's change. `target` is an article id, a section name (`order`), a block id, or empty for the edition; `pin` and
 * `move` keep an article in a section, and `exclude` drops it from this and every later edition of the digest.
 */
export type EditChange =
  | { kind: 'pin' | 'move'; target: string; data: Headline & { section: string } }
  | { kind: 'drop' | 'exclude'; target: string; data: Headline }
  | { kind: 'order'; target: string; data: { articles: string[] } }
  | { kind: 'reword'; target: string; data: Headline & { title?: string; summary?: string } }
  | { kind: 'picture'; target: string; data: Headline & { picture: OwnPicture | null } }
  | { kind: 'introduction' | 'subject' | 'preheader'; target: ''; data: { text: string } }
  | { kind: 'block'; target: string; data: OwnBlock }

/** A recorded change; `number` counts the edition's edits from 1. */
export type Edit = EditChange & Pick<EditRow, 'id' | 'editionId' | 'number' | 'who' | 'at' | 'undoneAt' | 'undoneBy'>

export function editFromRow(row: EditRow): Edit {
  return { ...row, data: fromJson(row.data) } as Edit
}

/** The edits that are not undone. */
export function activeEdits(edits: Edit[]): Edit[] {
  return edits.filter(({ undoneAt }) => undoneAt === null)
}

/** The key of an edit's subject: the newest edit with a key overrides earlier ones. `reword` overrides field by field. */
export function subjectOfEdit({ kind, target }: Pick<Edit, 'kind' | 'target'>): string {
  const isPlace = kind === 'pin' || kind === 'move' || kind === 'drop' || kind === 'exclude'
  return `${isPlace ? 'place' : kind} ${target}`
}

/** The newest edit for each subject, by its key. */
export function newestBySubject(edits: Edit[]): Map<string, Edit> {
  return new Map(edits.map((edit) => [subjectOfEdit(edit), edit]))
}

/** The ids of the articles that editors pinned or moved. */
export function pinnedArticles(edits: Edit[]): string[] {
  return edits.flatMap(({ kind, target }) => (kind === 'pin' || kind === 'move' ? [target] : []))
}

/** The edit as a reason. */
export function editReason(edit: EditChange): Reason {
  switch (edit.kind) {
    case 'pin':
    case 'move': {
      const { headline, section } = edit.data
      return { code: `edit-${edit.kind}`, headline, section }
    }
    case 'drop':
    case 'exclude':
      return { code: `edit-${edit.kind}`, headline: edit.data.headline }
    case 'order':
      return { code: 'edit-order', section: edit.target }
    case 'reword': {
      const { headline, title = null, summary } = edit.data
      return { code: 'edit-reword', headline, title, hasSummary: summary !== undefined }
    }
    case 'picture':
      return { code: 'edit-picture', headline: edit.data.headline, isRemoved: edit.data.picture === null }
    case 'introduction':
    case 'subject':
    case 'preheader':
      return { code: 'edit-text', field: edit.kind, text: edit.data.text === '' ? null : beginning(edit.data.text) }
    case 'block':
      return { code: 'edit-block', heading: edit.data.heading }
  }
}

/** The edit as text that follows the editor's name: "dropped “Trams return”". */
export function editText(edit: EditChange): string {
  return describeReason(editReason(edit))
}

const maxShown = 120

/** The text on one line, cut after `maxShown` characters. */
function beginning(text: string): string {
  const characters = [...text.replace(/\s+/g, ' ')]
  return characters.length <= maxShown ? characters.join('') : `${characters.slice(0, maxShown).join('')}…`
}
