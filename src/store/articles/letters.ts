import { createHash } from 'node:crypto'
import type { Instant } from '../../time/clock.ts'
import { transaction } from '../drivers/transaction.ts'
import { ensureLetterbox, lockFeed } from '../feeds/feeds.ts'
import { newId } from '../id.ts'
import type { Db } from '../schema.ts'

/** A reader's letter as it is printed: plain text, one line each but for `text`, which has blank lines between paragraphs. */
export type LetterContent = { headline: string; text: string; name: string; place: string; receivedAt: Instant }

/** What became of a letter that was to be added: its id, or the same letter, which the digest has already. */
export type AddLetterResult = { id: string } | { same: Letter }

/**
 * Keeps a letter, pending for one digest, unless the same text waits there or was printed. `anyway`: the id of the
 * newest such letter, if it is to be kept beside that one. Two at once are added one after the other.
 */
export function addLetter(
  db: Db,
  digest: string,
  words: LetterContent,
  { who, anyway, now }: { who: string; anyway?: string | undefined; now: Instant },
): Promise<AddLetterResult> {
  return transaction(db, async (trx) => {
    const feedId = await ensureLetterbox(trx, digest, now)
    await lockFeed(trx, feedId)
    const same = await newestLetterWithText(trx, digest, letterHash(words.text))
    if (same && same.id !== anyway) return { same }
    const id = newId(now)
    const nothing = {
      url: '',
      summary: '',
      image: null,
      video: null,
      categories: '[]',
      updatedAt: null,
      page: null,
      note: '',
    }
    const recognised = { identity: id, canonical: '', titleKey: '', shownAt: now, place: 0, seenAt: now }
    await trx
      .insertInto('articles')
      .values({ id, kind: 'letter', feedId, ...nothing, ...recognised, ...articleColumns(words) })
      .execute()
    const { text, place } = words
    const untouched = { editedAt: null, editedBy: null, withdrawnAt: null, withdrawnBy: null, version: 1 }
    await trx
      .insertInto('letters')
      .values({ articleId: id, text, textHash: letterHash(text), place, enteredBy: who, ...untouched })
      .execute()
    await trx
      .insertInto('ledger')
      .values({ digest, articleId: id, feedId, enrolledAt: now, comparedAt: now, ...emptyLedgerColumns })
      .execute()
    return { id }
  })
}

/** The newest letter of that text which nobody has withdrawn. */
function newestLetterWithText(db: Db, digest: string, textHash: string): Promise<Letter | undefined> {
  return letters(db)
    .where('letters.textHash', '=', textHash)
    .where('letters.withdrawnAt', 'is', null)
    .where('ledger.digest', '=', digest)
    .orderBy('letters.articleId', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** What is the same of two letters that differ in case and blanks alone, as SHA-256 in hex. */
function letterHash(text: string): string {
  const folded = text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()
  return createHash('sha256').update(folded).digest('hex')
}

const emptyLedgerColumns = {
  backlogAt: null,
  editionId: null,
  sameAs: null,
  unlike: null,
  quarantinedAt: null,
  quarantineReason: null,
  cutAt: null,
  cutReason: null,
  lapsedIn: null,
}

/** Who changes a letter, and the version of it that they looked at; without it, whatever it reads now. */
export type LetterChange = { who: string; version?: number | undefined; now: Instant }

/** What became of a change: `done`, `changed` (it has another version by now) or `settled` (it waits no more). */
export type LetterChangeResult = 'done' | 'changed' | 'settled'

/** Rewords a letter that waits. */
export function rewordLetter(
  db: Db,
  id: string,
  words: LetterContent,
  { who, version, now }: LetterChange,
): Promise<LetterChangeResult> {
  return transaction(db, async (trx) => {
    const refused = await changeConflict(trx, id, version)
    if (refused) return refused
    const { text, place } = words
    await trx.updateTable('articles').set(articleColumns(words)).where('id', '=', id).execute()
    await trx
      .updateTable('letters')
      .set((eb) => ({
        text,
        textHash: letterHash(text),
        place,
        editedAt: now,
        editedBy: who,
        version: eb('version', '+', 1),
      }))
      .where('articleId', '=', id)
      .execute()
    return 'done'
  })
}

/** Locks the letter, and says why it cannot be changed. */
async function changeConflict(
  db: Db,
  id: string,
  version: number | undefined,
): Promise<'changed' | 'settled' | undefined> {
  if (!(await lockPendingLetter(db, id))) return 'settled'
  if (version === undefined) return undefined
  const letter = await db.selectFrom('letters').select('version').where('articleId', '=', id).executeTakeFirst()
  return letter?.version === version ? undefined : 'changed'
}

/**
 * Takes it back for good, while no sealed edition holds it: what was written, by whom and where from is erased, and the
 * headline alone is left for the records that name it.
 */
export function withdrawLetter(db: Db, id: string, { who, version, now }: LetterChange): Promise<LetterChangeResult> {
  return transaction(db, async (trx) => {
    const refused = await changeConflict(trx, id, version)
    if (refused) return refused
    await trx.updateTable('ledger').set({ backlogAt: now }).where('articleId', '=', id).execute() // no edition may have it
    await trx.updateTable('articles').set({ author: '' }).where('id', '=', id).execute()
    const erased = { text: '', textHash: '', place: '', withdrawnAt: now, withdrawnBy: who }
    await trx.updateTable('letters').set(erased).where('articleId', '=', id).execute()
    return 'done'
  })
}

/** Keeps a seal from taking the letter until this transaction ends. False: it is not pending. */
async function lockPendingLetter(db: Db, id: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('ledger')
    .set({ editionId: null })
    .where('articleId', '=', id)
    .where('articleId', 'in', (eb) => eb.selectFrom('letters').select('letters.articleId'))
    .where('editionId', 'is', null)
    .where('backlogAt', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

export type Letter = Awaited<ReturnType<typeof lettersOf>>[number]

/** `waiting`: in no edition yet; `printed`: an edition holds it. The one that came first stands first, or last if printed. */
export type LetterFilter = { digest?: string | undefined; state: 'waiting' | 'printed'; limit: number }

export function lettersOf(db: Db, { digest, state, limit }: LetterFilter) {
  let query = letters(db).where('letters.withdrawnAt', 'is', null)
  if (digest !== undefined) query = query.where('ledger.digest', '=', digest)
  query = query.where('ledger.editionId', state === 'waiting' ? 'is' : 'is not', null)
  const way = state === 'waiting' ? 'asc' : 'desc'
  return query.orderBy('articles.publishedAt', way).orderBy('articles.id', way).limit(limit).execute()
}

/** How many letters wait for an edition. */
export async function countWaitingLetters(db: Db): Promise<number> {
  const row = await db
    .selectFrom('letters')
    .innerJoin('ledger', 'ledger.articleId', 'letters.articleId')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('ledger.editionId', 'is', null)
    .where('letters.withdrawnAt', 'is', null)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}

export function letterById(db: Db, id: string): Promise<Letter | undefined> {
  return letters(db).where('letters.articleId', '=', id).executeTakeFirst()
}

function letters(db: Db) {
  return db
    .selectFrom('letters')
    .innerJoin('articles', 'articles.id', 'letters.articleId')
    .innerJoin('ledger', 'ledger.articleId', 'letters.articleId')
    .leftJoin('editions', 'editions.id', 'ledger.editionId')
    .select(['articles.id', 'ledger.digest', 'articles.title as headline', 'letters.text', 'articles.author as name'])
    .select([
      'letters.place',
      'articles.publishedAt as receivedAt',
      'articles.seenAt as enteredAt',
      'letters.enteredBy',
    ])
    .select(['letters.version', 'letters.editedAt', 'letters.editedBy', 'letters.withdrawnAt', 'letters.withdrawnBy'])
    .select(['ledger.editionId', 'editions.number', 'editions.status'])
}

function articleColumns({ headline, name, receivedAt }: LetterContent) {
  return { title: headline, author: name, publishedAt: receivedAt }
}
