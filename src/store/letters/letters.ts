import { createHash } from 'node:crypto'
import type { Instant } from '../../time/clock.ts'
import { lockDigest } from '../digests/digests.ts'
import { transaction } from '../drivers/transaction.ts'
import { newId } from '../id.ts'
import type { Db } from '../schema.ts'

/** A reader's letter in print: plain text, one line each except `text`, which has blank lines between paragraphs. */
export type LetterContent = { headline: string; text: string; name: string; place: string; receivedAt: Instant }

/** The id of the added letter, or the digest's letter with the same text. */
export type AddLetterResult = { id: string } | { same: Letter }

/**
 * Adds a pending letter to one digest, unless the digest has one with the same text that is not withdrawn. `anyway`:
 * the id of the newest such letter, to add this one too. Simultaneous calls run one after the other.
 */
export function addLetter(
  db: Db,
  digest: string,
  content: LetterContent,
  { who, anyway, now }: { who: string; anyway?: string | undefined; now: Instant },
): Promise<AddLetterResult> {
  return transaction(db, async (trx) => {
    await lockDigest(trx, digest, now)
    const same = await newestLetterWithText(trx, digest, letterHash(content.text))
    if (same && same.id !== anyway) return { same }
    const id = newId(now)
    const entered = { enteredAt: now, enteredBy: who, version: 1, textHash: letterHash(content.text) }
    const unchanged = { editedAt: null, editedBy: null, withdrawnAt: null, withdrawnBy: null, editionId: null }
    await trx
      .insertInto('letters')
      .values({ id, digest, ...content, ...entered, ...unchanged })
      .execute()
    return { id }
  })
}

function newestLetterWithText(db: Db, digest: string, textHash: string): Promise<Letter | undefined> {
  return letters(db)
    .where('letters.textHash', '=', textHash)
    .where('letters.withdrawnAt', 'is', null)
    .where('letters.digest', '=', digest)
    .orderBy('letters.id', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** SHA-256 in hex, the same for two texts that differ only in case and white space. */
function letterHash(text: string): string {
  const folded = text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()
  return createHash('sha256').update(folded).digest('hex')
}

/** The person who changes a letter, and the version that they saw; without a version the change always applies. */
export type LetterChange = { who: string; version?: number | undefined; now: Instant }

/** `changed`: the letter has another version now. `settled`: it is not pending. */
export type LetterChangeResult = 'done' | 'changed' | 'settled'

/** Edits a pending letter. */
export function rewordLetter(
  db: Db,
  id: string,
  content: LetterContent,
  { who, version, now }: LetterChange,
): Promise<LetterChangeResult> {
  return transaction(db, async (trx) => {
    const conflict = await changeConflict(trx, id, version)
    if (conflict) return conflict
    const edited = { textHash: letterHash(content.text), editedAt: now, editedBy: who }
    await trx
      .updateTable('letters')
      .set((eb) => ({ ...content, ...edited, version: eb('version', '+', 1) }))
      .where('id', '=', id)
      .execute()
    return 'done'
  })
}

/** Locks the letter, and returns why it cannot be changed. */
async function changeConflict(
  db: Db,
  id: string,
  version: number | undefined,
): Promise<'changed' | 'settled' | undefined> {
  const pending = await db
    .updateTable('letters')
    .set((eb) => ({ version: eb.ref('version') })) // a seal waits until this transaction ends
    .where('id', '=', id)
    .where('editionId', 'is', null)
    .where('withdrawnAt', 'is', null)
    .returning('version')
    .executeTakeFirst()
  if (!pending) return 'settled'
  return version === undefined || pending.version === version ? undefined : 'changed'
}

/** Withdraws a pending letter and erases its text, name and place; the headline stays for the records that name it. */
export function withdrawLetter(db: Db, id: string, { who, version, now }: LetterChange): Promise<LetterChangeResult> {
  return transaction(db, async (trx) => {
    const conflict = await changeConflict(trx, id, version)
    if (conflict) return conflict
    const erased = { text: '', textHash: '', name: '', place: '' }
    await trx
      .updateTable('letters')
      .set({ ...erased, withdrawnAt: now, withdrawnBy: who })
      .where('id', '=', id)
      .execute()
    return 'done'
  })
}

export type Letter = Awaited<ReturnType<typeof lettersOf>>[number]

/** `waiting`: in no edition yet, the first received first. `printed`: in an edition, the last received first. */
export type LetterFilter = { digest?: string | undefined; state: 'waiting' | 'printed'; limit?: number }

export function lettersOf(db: Db, { digest, state, limit }: LetterFilter) {
  let query = letters(db).where('letters.withdrawnAt', 'is', null)
  if (digest !== undefined) query = query.where('letters.digest', '=', digest)
  query = query.where('letters.editionId', state === 'waiting' ? 'is' : 'is not', null)
  if (limit !== undefined) query = query.limit(limit)
  const direction = state === 'waiting' ? 'asc' : 'desc'
  return query.orderBy('letters.receivedAt', direction).orderBy('letters.id', direction).execute()
}

/** How many letters wait for an edition, of all digests. */
export async function countWaitingLetters(db: Db): Promise<number> {
  const row = await db
    .selectFrom('letters')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('editionId', 'is', null)
    .where('withdrawnAt', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

export function letterById(db: Db, id: string): Promise<Letter | undefined> {
  return letters(db).where('letters.id', '=', id).executeTakeFirst()
}

/** In no order. */
export async function lettersByIds(db: Db, ids: string[]): Promise<Letter[]> {
  return ids.length === 0 ? [] : await letters(db).where('letters.id', 'in', ids).execute()
}

/** Every letter to the digest that is not withdrawn, pending or printed, the first received first. */
export function allLettersOf(db: Db, digest: string): Promise<Letter[]> {
  return letters(db)
    .where('letters.digest', '=', digest)
    .where('letters.withdrawnAt', 'is', null)
    .orderBy('letters.receivedAt')
    .orderBy('letters.id')
    .execute()
}

function letters(db: Db) {
  return db
    .selectFrom('letters')
    .leftJoin('editions', 'editions.id', 'letters.editionId')
    .select(['letters.id', 'letters.digest', 'letters.headline', 'letters.text', 'letters.name', 'letters.place'])
    .select(['letters.receivedAt', 'letters.enteredAt', 'letters.enteredBy', 'letters.version'])
    .select(['letters.editedAt', 'letters.editedBy', 'letters.withdrawnAt', 'letters.withdrawnBy'])
    .select(['letters.editionId', 'editions.number', 'editions.status'])
}
