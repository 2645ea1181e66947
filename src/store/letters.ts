import type { Instant } from '../clock.ts'
import { letterboxOf } from './feeds.ts'
import { newId } from './id.ts'
import type { Db } from './schema.ts'
import { transaction } from './transaction.ts'

/** A reader's letter as it is printed: plain text, one line each but for `text`, which has blank lines between paragraphs. */
export type LetterWords = { headline: string; text: string; name: string; place: string; receivedAt: Instant }

/** Keeps a letter, pending for one digest. Returns its id. */
export function addLetter(db: Db, digest: string, words: LetterWords, who: string, now: Instant): Promise<string> {
  return transaction(db, async (trx) => {
    const feedId = await letterboxOf(trx, digest, now)
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
      .values({ id, kind: 'letter', feedId, ...nothing, ...recognised, ...inArticle(words) })
      .execute()
    const { text, place } = words
    const untouched = { editedAt: null, editedBy: null, withdrawnAt: null, withdrawnBy: null }
    await trx
      .insertInto('letters')
      .values({ articleId: id, text, place, enteredBy: who, ...untouched })
      .execute()
    await trx
      .insertInto('ledger')
      .values({ digest, articleId: id, feedId, enrolledAt: now, comparedAt: now, ...free })
      .execute()
    return id
  })
}

const free = {
  backlogAt: null,
  editionId: null,
  sameAs: null,
  unlike: null,
  heldAt: null,
  heldReason: null,
  cutAt: null,
  cutReason: null,
  lapsedIn: null,
}

/** Words it anew, while no sealed edition holds it and nobody has withdrawn it. Returns whether it did. */
export function rewordLetter(db: Db, id: string, words: LetterWords, who: string, now: Instant): Promise<boolean> {
  return transaction(db, async (trx) => {
    if (!(await lockPending(trx, id))) return false
    const { text, place } = words
    await trx.updateTable('articles').set(inArticle(words)).where('id', '=', id).execute()
    await trx
      .updateTable('letters')
      .set({ text, place, editedAt: now, editedBy: who })
      .where('articleId', '=', id)
      .execute()
    return true
  })
}

/**
 * Takes it back for good, while no sealed edition holds it: what was written, by whom and where from is erased, and the
 * headline alone is left for the records that name it. Returns whether it did.
 */
export function withdrawLetter(db: Db, id: string, who: string, now: Instant): Promise<boolean> {
  return transaction(db, async (trx) => {
    if (!(await lockPending(trx, id))) return false
    await trx.updateTable('ledger').set({ backlogAt: now }).where('articleId', '=', id).execute() // no edition may have it
    await trx.updateTable('articles').set({ author: '' }).where('id', '=', id).execute()
    const erased = { text: '', place: '', withdrawnAt: now, withdrawnBy: who }
    await trx.updateTable('letters').set(erased).where('articleId', '=', id).execute()
    return true
  })
}

/** Keeps a seal from taking the letter until this transaction ends. False: it is not pending. */
async function lockPending(db: Db, id: string): Promise<boolean> {
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
export async function countWaiting(db: Db): Promise<number> {
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
    .select(['letters.editedAt', 'letters.editedBy', 'letters.withdrawnAt', 'letters.withdrawnBy'])
    .select(['ledger.editionId', 'editions.number', 'editions.status'])
}

function inArticle({ headline, name, receivedAt }: LetterWords) {
  return { title: headline, author: name, publishedAt: receivedAt }
}
