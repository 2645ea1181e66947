import { activeRetractions } from '../articles/retractions.ts'
import type { Db } from '../schema.ts'
import { type Letter, lettersOf } from './letters.ts'

/** A letter that an edition may choose, unless an editor retracted it. */
export type PendingLetter = Letter & {
  retracted: { who: string; reason: string } | null
  /** An editor left it out of the edition. */
  decision?: { kind: 'drop'; who: string }
}

/** Every letter to the digest that waits for an edition, the first received first. */
export async function pendingLetters(db: Db, digest: string): Promise<PendingLetter[]> {
  const waiting = await lettersOf(db, { digest, state: 'waiting' })
  if (waiting.length === 0) return []
  const retractions = await activeRetractions(db)
  return waiting.map((letter) => ({ ...letter, retracted: retractions.get(letter.id) ?? null }))
}

/** Gives the letters to the edition. Returns how many were still pending and not retracted; the others are not given. */
export async function claimLetters(db: Db, editionId: string, ids: string[]): Promise<number> {
  if (ids.length === 0) return 0
  const { numUpdatedRows } = await db
    .updateTable('letters')
    .set({ editionId })
    .where('id', 'in', ids)
    .where('editionId', 'is', null)
    .where('withdrawnAt', 'is', null)
    .where('id', 'not in', (eb) =>
      eb.selectFrom('pulls').select('pulls.mark').where('pulls.inForce', 'is not', null).where('pulls.mark', 'in', ids),
    )
    .executeTakeFirst()
  return Number(numUpdatedRows)
}

/** Makes every letter of the edition pending again. */
export async function releaseLetters(db: Db, editionId: string): Promise<void> {
  await db.updateTable('letters').set({ editionId: null }).where('editionId', '=', editionId).execute()
}

/** Whether one of the letters was edited after this version. */
export async function hasRewordedLetter(db: Db, letters: Pick<Letter, 'id' | 'version'>[]): Promise<boolean> {
  if (letters.length === 0) return false
  const rows = await db
    .selectFrom('letters')
    .select(['id', 'version'])
    .where(
      'id',
      'in',
      letters.map(({ id }) => id),
    )
    .execute()
  const versions = new Map(rows.map(({ id, version }) => [id, version]))
  return letters.some(({ id, version }) => versions.get(id) !== version)
}

/** Saves the headline that the sealed edition prints, because the letter may be edited if the edition is cancelled. */
export async function recordPrintedHeadline(
  db: Db,
  editionId: string,
  { id, headline }: Pick<Letter, 'id' | 'headline'>,
): Promise<void> {
  await db
    .updateTable('choices')
    .set({ saidTitle: headline })
    .where('editionId', '=', editionId)
    .where('letterId', '=', id)
    .execute()
}
