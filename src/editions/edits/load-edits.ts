import { activeExclusions, editsOf } from '../../store/editions/edits.ts'
import type { Db } from '../../store/schema.ts'
import { activeEdits, type Edit, editFromRow } from './edit.ts'

/** The edits of the edition that are in force, the oldest first. */
export async function ownEdits(db: Db, editionId: string): Promise<Edit[]> {
  return activeEdits((await editsOf(db, editionId)).map(editFromRow))
}

/** What editors excluded from every edition of the digest. */
export async function exclusionsOf(db: Db, digest: string): Promise<Edit[]> {
  return (await activeExclusions(db, digest)).map(editFromRow)
}

/** All that decides about the choice of an edition: exclusions of others first, so that its own edits count more. */
export async function editsForChoice(db: Db, edition: { id: string; digest: string }): Promise<Edit[]> {
  const others = (await exclusionsOf(db, edition.digest)).filter(({ editionId }) => editionId !== edition.id)
  return [...others, ...(await ownEdits(db, edition.id))]
}
