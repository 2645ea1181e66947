import { activeExclusions, editsOf } from '../../store/editions/edits.ts'
import type { Db } from '../../store/schema.ts'
import { activeEdits, type Edit, editFromRow } from './edit.ts'

/** The edition's edits that are not undone, oldest first. */
export async function ownEdits(db: Db, editionId: string): Promise<Edit[]> {
  return activeEdits((await editsOf(db, editionId)).map(editFromRow))
}

/** The active `exclude` edits of all editions of the digest. */
export async function exclusionsOf(db: Db, digest: string): Promise<Edit[]> {
  return (await activeExclusions(db, digest)).map(editFromRow)
}

/** The edits that affect an edition's choices: exclusions from other editions first, so that its own edits override them. */
export async function editsForChoice(db: Db, edition: { id: string; digest: string }): Promise<Edit[]> {
  const others = (await exclusionsOf(db, edition.digest)).filter(({ editionId }) => editionId !== edition.id)
  return [...others, ...(await ownEdits(db, edition.id))]
}
