import type { Instant } from '../../time/clock.ts'
import type { Reason } from '../events/reason.ts'
import { newId } from '../id.ts'
import { toJson } from '../json.ts'
import type { CorrectionRow, CorrectionStatus, Db } from '../schema.ts'

/** A detected change, before an editor decides about it. */
export type FoundChange = Pick<
  CorrectionRow,
  'digest' | 'editionId' | 'articleId' | 'kind' | 'class' | 'source' | 'changeKey' | 'found' | 'evidence'
>

const undecidedColumns = {
  lapsedAt: null,
  words: null,
  decidedAt: null,
  decidedBy: null,
  printedIn: null,
  undoneAt: null,
  undoneWhy: null,
  withdrawnAt: null,
  withdrawnBy: null,
  withdrawnReason: null,
}

/**
 * Proposes a correction, once for each change. One that is already proposed or decided stays unchanged; an expired one
 * is proposed again only if it expired by `expiredBy`. Returns whether this call proposed it.
 */
export async function proposeCorrection(
  db: Db,
  change: FoundChange,
  expiredBy: Instant,
  now: Instant,
): Promise<boolean> {
  const made = await db
    .insertInto('corrections')
    .values({ ...undecidedColumns, id: newId(now), ...change, status: 'proposed', proposedAt: now })
    .onConflict((conflict) =>
      conflict
        .columns(['editionId', 'articleId', 'changeKey'])
        .doUpdateSet((eb) => ({
          status: 'proposed',
          lapsedAt: null,
          found: eb.ref('excluded.found'),
          class: eb.ref('excluded.class'),
          source: eb.ref('excluded.source'),
          evidence: eb.ref('excluded.evidence'),
        }))
        .where('corrections.status', '=', 'lapsed')
        .where('corrections.lapsedAt', '<=', expiredBy),
    )
    .returning('id')
    .executeTakeFirst()
  return made !== undefined
}

export type ObservedChanges = Pick<CorrectionRow, 'editionId' | 'articleId' | 'source'> & {
  /** The kinds that were checked; the others are unknown. */
  kinds: CorrectionRow['kind'][]
  /** The changes that are still found. */
  keys: string[]
}

/** Marks proposed corrections as `lapsed` when their change is no longer found. Returns their number. */
export async function expireUnseen(
  db: Db,
  { editionId, articleId, source, kinds, keys }: ObservedChanges,
  now: Instant,
): Promise<number> {
  let query = db
    .updateTable('corrections')
    .set({ status: 'lapsed', lapsedAt: now })
    .where('editionId', '=', editionId)
    .where('articleId', '=', articleId)
    .where('source', '=', source)
    .where('status', '=', 'proposed')
    .where('kind', 'in', kinds)
  if (keys.length > 0) query = query.where('changeKey', 'not in', keys)
  return Number((await query.executeTakeFirst()).numUpdatedRows)
}

/**
 * Marks accepted, unprinted corrections as `doubted` when their change is no longer found, with the reason `why`. One
 * that an editor confirmed after a doubt stays accepted. Returns the number of those that became doubted.
 */
export async function doubtUnseen(
  db: Db,
  { editionId, articleId, source, kinds, keys }: ObservedChanges,
  why: Reason,
  now: Instant,
): Promise<number> {
  let query = db
    .updateTable('corrections')
    .set({ status: 'doubted', undoneAt: now, undoneWhy: toJson(why) })
    .where('editionId', '=', editionId)
    .where('articleId', '=', articleId)
    .where('source', '=', source)
    .where('status', '=', 'accepted')
    .where('printedIn', 'is', null)
    .where('undoneAt', 'is', null)
    .where('kind', 'in', kinds)
  if (keys.length > 0) query = query.where('changeKey', 'not in', keys)
  return Number((await query.executeTakeFirst()).numUpdatedRows)
}

/** Ends doubts whose change is found again: a doubted correction is proposed again, a confirmed one stays accepted. */
export async function endDoubts(db: Db, { editionId, articleId, source, keys }: ObservedChanges): Promise<void> {
  if (keys.length === 0) return
  const seen = db
    .updateTable('corrections')
    .set({ undoneAt: null, undoneWhy: null })
    .where('editionId', '=', editionId)
    .where('articleId', '=', articleId)
    .where('source', '=', source)
    .where('undoneAt', 'is not', null)
    .where('changeKey', 'in', keys)
  await seen.where('status', '=', 'accepted').execute()
  await seen.set({ status: 'proposed', decidedAt: null, decidedBy: null }).where('status', '=', 'doubted').execute()
}

/** Open corrections found in this source: they wait for an editor, or for printing. */
export function openCorrectionsFrom(db: Db, digest: string, source: CorrectionRow['source']) {
  return db
    .selectFrom('corrections')
    .select(['editionId', 'articleId'])
    .where('digest', '=', digest)
    .where('status', 'in', ['proposed', 'accepted', 'doubted'])
    .where('printedIn', 'is', null)
    .where('source', '=', source)
    .execute()
}

/**
 * Adds the withdrawal of a printed correction: accepted, for the next edition and the archive. A correction is
 * withdrawn once; returns whether this call did it.
 */
export async function addWithdrawal(
  db: Db,
  { id, digest, editionId, articleId }: Pick<CorrectionRow, 'id' | 'digest' | 'editionId' | 'articleId'>,
  { who, reason, words }: { who: string; reason: string; words: string },
  now: Instant,
): Promise<boolean> {
  const withdrawal = {
    kind: 'withdrawal' as const,
    class: 'correction' as const,
    source: 'editor' as const,
    changeKey: withdrawalKey(id),
    found: reason,
  }
  const made = await db
    .insertInto('corrections')
    .values({
      ...undecidedColumns,
      ...withdrawal,
      id: newId(now),
      digest,
      editionId,
      articleId,
      evidence: toJson<Reason>({ code: 'withdrawn-by', who }),
      status: 'accepted',
      proposedAt: now,
      words,
      decidedAt: now,
      decidedBy: who,
    })
    .onConflict((conflict) => conflict.columns(['editionId', 'articleId', 'changeKey']).doNothing())
    .returning('id')
    .executeTakeFirst()
  return made !== undefined
}

/** The change key for the withdrawal of the printed correction with this id. */
export function withdrawalKey(id: string): string {
  return `withdrawal ${id}`
}

/** Expires the unprinted corrections of an edition that reached no reader; printed ones stay. */
export async function expireEditionCorrections(db: Db, editionId: string, now: Instant): Promise<void> {
  await db
    .updateTable('corrections')
    .set({ status: 'lapsed', lapsedAt: now })
    .where('editionId', '=', editionId)
    .where('status', 'in', ['proposed', 'accepted', 'doubted'])
    .where('printedIn', 'is', null)
    .execute()
}

/** Locks the correction until this transaction ends. */
export async function lockCorrection(db: Db, id: string): Promise<void> {
  await db
    .updateTable('corrections')
    .set((eb) => ({ status: eb.ref('status') }))
    .where('id', '=', id)
    .execute()
}

/** Updates a correction if it has one of the given states and no edition holds it. Returns whether it did. */
export async function moveCorrection(
  db: Db,
  id: string,
  from: CorrectionStatus[],
  change: Pick<CorrectionRow, 'status'> & Partial<CorrectionRow>,
): Promise<boolean> {
  const moved = await db
    .updateTable('corrections')
    .set(change)
    .where('id', '=', id)
    .where('status', 'in', from)
    .where('printedIn', 'is', null)
    .returning('id')
    .executeTakeFirst()
  return moved !== undefined
}

/** Assigns the corrections to the edition if their text is unchanged; returns how many were still available. */
export async function claimCorrections(
  db: Db,
  editionId: string,
  corrections: Pick<CorrectionView, 'id' | 'words'>[],
): Promise<number> {
  let claimed = 0
  for (const { id, words } of corrections) {
    const result = await db
      .updateTable('corrections')
      .set({ printedIn: editionId })
      .where('id', '=', id)
      .where('status', '=', 'accepted')
      .where('printedIn', 'is', null)
      .where('words', '=', words)
      .executeTakeFirst()
    claimed += Number(result.numUpdatedRows)
  }
  return claimed
}

/** Releases all corrections of the edition, so that the next edition prints them. */
export async function releaseCorrections(db: Db, editionId: string): Promise<void> {
  await db.updateTable('corrections').set({ printedIn: null }).where('printedIn', '=', editionId).execute()
}

/** A correction with the printed headline, its edition, and the edition that prints the correction. */
export type CorrectionView = Awaited<ReturnType<typeof correctionsAbout>>[number]

function corrections(db: Db) {
  return db
    .selectFrom('corrections')
    .innerJoin('choices', (join) =>
      join
        .onRef('choices.editionId', '=', 'corrections.editionId')
        .onRef('choices.articleId', '=', 'corrections.articleId'),
    )
    .innerJoin('articles', 'articles.id', 'corrections.articleId')
    .innerJoin('editions', 'editions.id', 'corrections.editionId')
    .leftJoin('editions as printed', 'printed.id', 'corrections.printedIn')
    .selectAll('corrections')
    .select((eb) => [
      eb.fn.coalesce('choices.saidTitle', 'articles.title').as('said'),
      eb.fn.coalesce('choices.saidUrl', 'articles.url').as('url'),
    ])
    .select((eb) => eb.fn.coalesce('editions.datedAt', 'editions.dueAt').as('dueAt'))
    .select(['editions.number', 'printed.number as printedNumber', 'printed.status as printedStatus'])
    .orderBy('corrections.proposedAt')
    .orderBy('corrections.id')
}

export function correctionById(db: Db, id: string): Promise<CorrectionView | undefined> {
  return corrections(db).where('corrections.id', '=', id).executeTakeFirst()
}

/** All corrections to an edition, in any state. */
export function correctionsAbout(db: Db, editionId: string) {
  return corrections(db).where('corrections.editionId', '=', editionId).execute()
}

/** All corrections about this article, except lapsed ones. */
export function correctionsOfArticle(db: Db, articleId: string): Promise<CorrectionView[]> {
  return corrections(db)
    .where('corrections.articleId', '=', articleId)
    .where('corrections.status', '!=', 'lapsed')
    .execute()
}

/** The corrections that a sealed edition prints. */
export function correctionsIn(db: Db, editionId: string): Promise<CorrectionView[]> {
  return corrections(db).where('corrections.printedIn', '=', editionId).execute()
}

/** Of the corrections that an edition prints, those that were withdrawn since. */
export async function withdrawalsOf(db: Db, printedIn: string): Promise<CorrectionView[]> {
  const keys = (await correctionsIn(db, printedIn)).map(({ id }) => withdrawalKey(id))
  if (keys.length === 0) return []
  return await corrections(db)
    .where('corrections.changeKey', 'in', keys)
    .where('corrections.status', '=', 'accepted')
    .execute()
}

/** The corrections for the next edition of the digest. */
export function correctionsToPrint(db: Db, digest: string): Promise<CorrectionView[]> {
  return corrections(db)
    .where('corrections.digest', '=', digest)
    .where('corrections.status', '=', 'accepted')
    .where('corrections.printedIn', 'is', null)
    .execute()
}

/** Corrections that wait for an editor or for the next edition. */
export function waitingCorrections(db: Db, digest?: string): Promise<CorrectionView[]> {
  const all = digest === undefined ? corrections(db) : corrections(db).where('corrections.digest', '=', digest)
  return all
    .where('corrections.status', 'in', ['proposed', 'accepted', 'doubted'])
    .where('corrections.printedIn', 'is', null)
    .execute()
}

/** The newest corrections, in any state, the newest last. */
export async function latestCorrections(db: Db, digest: string | undefined, limit: number): Promise<CorrectionView[]> {
  const all = digest === undefined ? corrections(db) : corrections(db).where('corrections.digest', '=', digest)
  const newest = await all
    .clearOrderBy()
    .orderBy('corrections.proposedAt', 'desc')
    .orderBy('corrections.id', 'desc')
    .limit(limit)
    .execute()
  return newest.reverse()
}
