import { sql } from 'kysely'
import { type Reason, withFurther } from '../events/reason.ts'
import { fromJson, toJson } from '../json.ts'
import type { ChoiceRow, Db } from '../schema.ts'

/** Adds a further reason to the choice of an article. */
export async function addChoiceReason(db: Db, editionId: string, articleId: string, further: Reason): Promise<void> {
  const choice = { editionId, articleId }
  const row = await db
    .selectFrom('choices')
    .select('reason')
    .where((eb) => eb.and(choice))
    .executeTakeFirstOrThrow()
  await db
    .updateTable('choices')
    .set({ reason: toJson(withFurther(fromJson(row.reason), further)) })
    .where((eb) => eb.and(choice))
    .execute()
}

/** A new choice; the seal adds the edition's wording. */
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

/** The ids of all articles and letters that the edition considered, chosen or not. */
export async function consideredIds(db: Db, editionId: string): Promise<string[]> {
  const rows = db.selectFrom('choices').select(['articleId', 'letterId']).where('editionId', '=', editionId)
  return (await rows.execute()).flatMap(({ articleId, letterId }) => articleId ?? letterId ?? [])
}

/**
 * The items that the edition considered: the chosen ones in order, then the others. Sealed items have their sealed
 * headline, the others the current one.
 */
export function choicesOf(db: Db, editionId: string) {
  return choiceRows(db, editionId).execute()
}

/** The same for chosen items only, at most what its sections can hold. */
export function chosenOf(db: Db, editionId: string) {
  return choiceRows(db, editionId).where('choices.position', 'is not', null).execute()
}

/** The same for some of the items that were not chosen, newest first. */
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

/** The number of articles and letters in each of these editions; editions with none are omitted. */
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
