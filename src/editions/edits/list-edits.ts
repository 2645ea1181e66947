import { choicesOf } from '../../store/editions/choices.ts'
import { editsOf } from '../../store/editions/edits.ts'
import type { Db, EditionRow } from '../../store/schema.ts'
import type { Digest } from '../digest.ts'
import { type Edit, editFromRow } from './edit.ts'
import { type EditStatus, editStatuses } from './edit-status.ts'

/** An edit and its status. */
export type ListedEdit = { edit: Edit; status: EditStatus }

/** All edits of the edition, oldest first, including those without effect. */
export async function listEdits(db: Db, edition: EditionRow, digest: Digest | undefined): Promise<ListedEdit[]> {
  const edits = (await editsOf(db, edition.id)).map(editFromRow)
  if (edits.length === 0) return []
  const sections = digest?.sections.map(({ name }) => name) ?? []
  const statuses = editStatuses(edits, await choicesOf(db, edition.id), sections)
  return edits.map((edit) => ({ edit, status: statuses.get(edit.id) ?? 'gone' }))
}
