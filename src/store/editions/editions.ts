import { sql } from 'kysely'
import type { Instant } from '../../time/clock.ts'
import { openStatuses } from '../edition-status.ts'
import { newId } from '../id.ts'
import type { ChoiceRow, Db, EditionRow, EditionStatus, Schema, VariantRow } from '../schema.ts'

/** Adds the edition unless the digest has one for that instant already. Returns whether this call made it. */
export async function addEdition(db: Db, edition: EditionRow): Promise<boolean> {
  const made = await db
    .insertInto('editions')
    .values(edition)
    .onConflict((conflict) => conflict.columns(['digest', 'dueAt']).doNothing())
    .returning('id')
    .executeTakeFirst()
  return made !== undefined
}

/** Moves the edition on, if it stands in one of the states named. Returns whether it did. */
export async function moveEdition(
  db: Db,
  id: string,
  from: EditionStatus[],
  change: Partial<Omit<EditionRow, 'id'>>,
): Promise<boolean> {
  const moved = await db
    .updateTable('editions')
    .set(change)
    .where('id', '=', id)
    .where('status', 'in', from)
    .returning('id')
    .executeTakeFirst()
  return moved !== undefined
}

export function editionById(db: Db, id: string): Promise<EditionRow | undefined> {
  return db.selectFrom('editions').selectAll().where('id', '=', id).executeTakeFirst()
}

/** The largest integer of the column. */
const maxNumber = 2 ** 31 - 1

export function editionByRef(db: Db, ref: string): Promise<EditionRow | undefined> {
  return db.selectFrom('editions').selectAll().where('ref', '=', ref).executeTakeFirst()
}

/** Undefined also for what can be no number of an edition: PostgreSQL refuses to compare it. */
export async function editionByNumber(db: Db, digest: string, number: number): Promise<EditionRow | undefined> {
  if (!Number.isInteger(number) || number < 0 || number > maxNumber) return undefined
  return await db
    .selectFrom('editions')
    .selectAll()
    .where('digest', '=', digest)
    .where('number', '=', number)
    .executeTakeFirst()
}

/** The newest editions that went out whole and may be read by anybody; `on` and `off` are digests, by their job files. */
export function archivedEditions(
  db: Db,
  { on, off, limit }: { on: string[]; off: string[]; limit: number },
): Promise<EditionRow[]> {
  let query = db.selectFrom('editions').selectAll().where('status', '=', 'sent')
  if (off.length > 0) query = query.where('digest', 'not in', off)
  query = query.where((eb) =>
    on.length > 0 ? eb.or([eb('digest', 'in', on), eb('archive', '=', 'on')]) : eb('archive', '=', 'on'),
  )
  return query.orderBy('dueAt', 'desc').orderBy('id', 'desc').limit(limit).execute()
}

export type EditionFilter = { digest?: string | undefined; statuses?: EditionStatus[]; skip?: number; limit: number }

export function latestEditions(db: Db, { digest, statuses, skip = 0, limit }: EditionFilter): Promise<EditionRow[]> {
  let query = db.selectFrom('editions').selectAll()
  if (digest !== undefined) query = query.where('digest', '=', digest)
  if (statuses !== undefined) query = query.where('status', 'in', statuses)
  return query.orderBy('dueAt', 'desc').orderBy('id', 'desc').limit(limit).offset(skip).execute()
}

export function editionsByStatus(db: Db, statuses: EditionStatus[], digest?: string): Promise<EditionRow[]> {
  let query = db.selectFrom('editions').selectAll().where('status', 'in', statuses)
  if (digest !== undefined) query = query.where('digest', '=', digest)
  return query.orderBy('dueAt').execute()
}

/** Skipped runs of these digests that were due since then, by due time. */
export async function skippedEditions(db: Db, digests: string[], since: Instant): Promise<EditionRow[]> {
  if (digests.length === 0) return []
  return await db
    .selectFrom('editions')
    .selectAll()
    .where('status', '=', 'skipped')
    .where('digest', 'in', digests)
    .where('dueAt', '>=', since)
    .orderBy('dueAt')
    .execute()
}

/** When the editions of the digest were due, from that instant on, but for those that were skipped or cancelled. */
export async function editionTimesSince(db: Db, digest: string, since: Instant): Promise<Instant[]> {
  const rows = await db
    .selectFrom('editions')
    .select('dueAt')
    .where('digest', '=', digest)
    .where('dueAt', '>=', since)
    .where('status', 'not in', ['skipped', 'cancelled'])
    .orderBy('dueAt')
    .execute()
  return rows.map(({ dueAt }) => dueAt)
}

/** An edition of the same digest that was due later, and that people have, or are getting. */
export function newerSentEdition(
  db: Db,
  { digest, dueAt }: Pick<EditionRow, 'digest' | 'dueAt'>,
): Promise<EditionRow | undefined> {
  return db
    .selectFrom('editions')
    .selectAll()
    .where('digest', '=', digest)
    .where('dueAt', '>', dueAt)
    .where((eb) => eb.or([eb('status', 'in', ['sending', 'paused', 'sent']), eb('audienceAt', 'is not', null)]))
    .orderBy('dueAt', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** Whether the digest has an edition that has not ended. */
export async function hasOpenEdition(db: Db, digest: string): Promise<boolean> {
  const open = await db
    .selectFrom('editions')
    .select('id')
    .where('digest', '=', digest)
    .where('status', 'in', openStatuses)
    .limit(1)
    .executeTakeFirst()
  return open !== undefined
}

/** Editions that nobody has approved yet: made, sealed, or held; of one digest or of all, the one that was due first at the front. */
export function unapprovedEditions(db: Db, digest?: string): Promise<EditionRow[]> {
  return editionsByStatus(db, ['composed', 'sealed', 'held'], digest)
}

/** When the digest was last due with an edition that went out, or is about to. */
export async function lastOutgoingDueAt(db: Db, digest: string): Promise<Instant | undefined> {
  const row = await db
    .selectFrom('editions')
    .select((eb) => eb.fn.max('dueAt').as('dueAt'))
    .where('digest', '=', digest)
    .where('status', 'in', ['sealed', 'approved', 'sending', 'sent'])
    .executeTakeFirst()
  return row?.dueAt ?? undefined
}

/** Adds to the reason of an article that the edition chose. */
export async function appendChoiceReason(db: Db, editionId: string, articleId: string, mark: string): Promise<void> {
  await db
    .updateTable('choices')
    .set((eb) => ({ reason: sql<string>`${eb.ref('reason')} || ${`; ${mark}`}` }))
    .where('editionId', '=', editionId)
    .where('articleId', '=', articleId)
    .execute()
}

/** The number that the next edition of the digest bears: one more than the highest ever given. */
export async function nextNumber(db: Db, digest: string): Promise<number> {
  return (await highestNumber(db, digest)) + 1
}

/** The highest number that an edition of the digest bears, or one that was due by then; 0: none. */
export async function highestNumber(db: Db, digest: string, dueBy?: Instant): Promise<number> {
  let query = db
    .selectFrom('editions')
    .select((eb) => eb.fn.max('number').as('highest'))
    .where('digest', '=', digest)
  if (dueBy !== undefined) query = query.where('dueAt', '<=', dueBy)
  return Number((await query.executeTakeFirst())?.highest ?? 0)
}

/** A choice as it is made; what the edition says of the article comes with the seal. */
export type NewChoice = Pick<
  ChoiceRow,
  'editionId' | 'articleId' | 'letterId' | 'section' | 'position' | 'reason' | 'lastAt'
>

export async function addChoices(db: Db, choices: NewChoice[]): Promise<void> {
  for (let start = 0; start < choices.length; start += 200) {
    await db
      .insertInto('choices')
      .values(choices.slice(start, start + 200))
      .execute()
  }
}

export async function deleteChoices(db: Db, editionId: string): Promise<void> {
  await db.deleteFrom('choices').where('editionId', '=', editionId).execute()
}

/** The ids of all articles and letters that the edition looked at, chosen or not. */
export async function consideredIds(db: Db, editionId: string): Promise<string[]> {
  const rows = db.selectFrom('choices').select(['articleId', 'letterId']).where('editionId', '=', editionId)
  return (await rows.execute()).flatMap(({ articleId, letterId }) => articleId ?? letterId ?? [])
}

/**
 * What the edition chose and what it passed over; chosen first, in order. The words are those that were sealed, and for
 * what was not, those of today.
 */
export function choicesOf(db: Db, editionId: string) {
  return choiceRows(db, editionId).execute()
}

/** The same for what it chose alone; no more than its sections have room for. */
export function chosenOf(db: Db, editionId: string) {
  return choiceRows(db, editionId).where('choices.position', 'is not', null).execute()
}

/** The same for some of what it passed over, the newest first. */
export function passedOverOf(db: Db, editionId: string, { skip, limit }: { skip: number; limit: number }) {
  const rows = choiceRows(db, editionId).where('choices.position', 'is', null)
  return rows.orderBy('itemId').limit(limit).offset(skip).execute()
}

export async function countPassedOver(db: Db, editionId: string): Promise<number> {
  const row = await db
    .selectFrom('choices')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('editionId', '=', editionId)
    .where('position', 'is', null)
    .executeTakeFirst()
  return Number(row?.count ?? 0)
}

function choiceRows(db: Db, editionId: string) {
  return db
    .selectFrom('choices')
    .leftJoin('articles', 'articles.id', 'choices.articleId')
    .leftJoin('feeds', 'feeds.id', 'articles.feedId')
    .leftJoin('letters', 'letters.id', 'choices.letterId')
    .selectAll('choices')
    .select(({ fn, ref, val }) => [
      sql<'article' | 'letter'>`case when choices.letter_id is null then 'article' else 'letter' end`.as('kind'),
      fn.coalesce('choices.articleId', 'choices.letterId', val('')).as('itemId'),
      fn.coalesce('choices.saidTitle', 'articles.title', 'letters.headline', val('')).as('title'),
      fn.coalesce('choices.saidUrl', 'articles.url', val('')).as('url'),
      fn.coalesce('articles.author', 'letters.name', val('')).as('author'),
      fn.coalesce('articles.publishedAt', 'letters.receivedAt').as('publishedAt'),
      fn.coalesce('feeds.title', val('')).as('source'),
      ref('letters.place').as('place'),
    ])
    .where('choices.editionId', '=', editionId)
    .orderBy(sql`choices.position is null`)
    .orderBy('choices.position')
    .orderBy((eb) => eb.fn.coalesce('articles.publishedAt', 'articles.seenAt', 'letters.receivedAt'), 'desc')
}

/** How many articles and letters each of the editions chose; those that chose none are left out. */
export async function countChosen(db: Db, editionIds: string[]): Promise<Map<string, ChosenCounts>> {
  if (editionIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('choices')
    .select(['editionId', (eb) => eb.fn.count<number>('articleId').as('article')])
    .select((eb) => eb.fn.count<number>('letterId').as('letter'))
    .where('editionId', 'in', editionIds)
    .where('position', 'is not', null)
    .groupBy('editionId')
    .execute()
  return new Map(
    rows.map(({ editionId, article, letter }) => [editionId, { article: Number(article), letter: Number(letter) }]),
  )
}

export type ChosenCounts = { article: number; letter: number }

/** What editions decided about an article or a letter, the newest edition first. */
export function choicesAbout(db: Db, itemId: string) {
  return db
    .selectFrom('choices')
    .innerJoin('editions', 'editions.id', 'choices.editionId')
    .selectAll('choices')
    .select(['editions.digest', 'editions.number', 'editions.status', 'editions.dueAt'])
    .where((eb) => eb.or([eb('choices.articleId', '=', itemId), eb('choices.letterId', '=', itemId)]))
    .orderBy('editions.dueAt', 'desc')
    .execute()
}

export async function addVariant(db: Db, variant: VariantRow): Promise<void> {
  await db.insertInto('variants').values(variant).execute()
}

export function variantsOf(db: Db, editionId: string): Promise<VariantRow[]> {
  return db
    .selectFrom('variants')
    .selectAll()
    .where('editionId', '=', editionId)
    .where('withdrawnAt', 'is', null)
    .orderBy('name')
    .execute()
}

/** The variant that was sealed last, of any digest. */
export function lastSealedVariant(db: Db): Promise<VariantRow | undefined> {
  return db
    .selectFrom('variants')
    .selectAll()
    .where('withdrawnAt', 'is', null)
    .orderBy('sealedAt', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** Takes the seal off an edition that is chosen again. The bytes are kept under another name, that no other has, even where a clock stands still; returns their SHA-256. */
export async function withdrawVariants(db: Db, editionId: string, now: Instant): Promise<string[]> {
  const withdrawn = await db
    .updateTable('variants')
    .set((eb) => ({ name: sql<string>`${eb.ref('name')} || ${` until ${now} `} || ${eb.ref('id')}`, withdrawnAt: now }))
    .where('editionId', '=', editionId)
    .where('withdrawnAt', 'is', null)
    .returning('sha256')
    .execute()
  return withdrawn.map(({ sha256 }) => sha256)
}

/** The seals that the edition bore before it was chosen again, the oldest first. */
export function withdrawnVariants(db: Db, editionId: string) {
  return db
    .selectFrom('variants')
    .select(['name', 'sha256', 'sealedAt', 'withdrawnAt'])
    .where('editionId', '=', editionId)
    .where('withdrawnAt', 'is not', null)
    .orderBy('withdrawnAt')
    .execute()
}

/** The edition as it is now, and nobody else moves it before this transaction ends. */
export function lockEdition(db: Db, id: string): Promise<EditionRow | undefined> {
  return db
    .updateTable('editions')
    .set((eb) => ({ status: eb.ref('status') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}

/** Appends to what is on record about an edition: who did what, and when. */
export async function addHistory(db: Db, editionId: string, who: string, what: string, now: Instant): Promise<void> {
  await db
    .insertInto('history')
    .values({ id: newId(now), editionId, at: now, who, what })
    .execute()
}

export function historyOf(db: Db, editionId: string): Promise<Schema['history'][]> {
  return db.selectFrom('history').selectAll().where('editionId', '=', editionId).orderBy('at').orderBy('id').execute()
}
