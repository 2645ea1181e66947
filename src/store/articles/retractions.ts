import type { Instant } from '../../time/clock.ts'
import { openStatuses } from '../edition-status.ts'
import type { Reason } from '../events/reason.ts'
import { newId } from '../id.ts'
import type { Db, RetractionRow } from '../schema.ts'

/** The marks of these articles and letters: their ids, and the addresses that identify an article in another feed. */
export async function retractionMarks(db: Db, ids: string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const rows = await db.selectFrom('articles').select('canonical').where('id', 'in', ids).execute()
  const addresses = rows.map(({ canonical }) => canonical).filter((address) => address !== '')
  return [...new Set([...ids, ...addresses])]
}

export type NewRetraction = Pick<RetractionRow, 'url' | 'title' | 'who' | 'reason'>

/** Retracts the articles and letters with these marks. Returns how many were not retracted before. */
export async function addRetractions(
  db: Db,
  marks: string[],
  retraction: NewRetraction,
  now: Instant,
): Promise<number> {
  if (marks.length === 0) return 0
  const never = { restoredAt: null, restoredBy: null }
  const added = await db
    .insertInto('pulls')
    .values(marks.map((mark) => ({ id: newId(now), mark, inForce: mark, at: now, ...retraction, ...never })))
    .onConflict((conflict) => conflict.column('inForce').doNothing())
    .returning('id')
    .execute()
  return added.length
}

/** Ends every retraction of these marks; returns how many. */
export async function endRetractions(db: Db, marks: string[], who: string, now: Instant): Promise<number> {
  if (marks.length === 0) return 0
  const ended = await db
    .updateTable('pulls')
    .set({ inForce: null, restoredAt: now, restoredBy: who })
    .where('inForce', 'in', marks)
    .returning('id')
    .execute()
  return ended.length
}

/** All retractions, active and ended, newest first; each once, even if it has several marks. */
export async function allRetractions(db: Db): Promise<RetractionRow[]> {
  const rows = await db.selectFrom('pulls').selectAll().orderBy('id', 'desc').execute()
  const once = new Map(rows.map((row) => [`${row.url} ${row.at}`, row]))
  return [...once.values()]
}

/** The active retractions, by mark. */
export async function activeRetractions(db: Db): Promise<Map<string, RetractionRow>> {
  const rows = await db.selectFrom('pulls').selectAll().where('inForce', 'is not', null).execute()
  return new Map(rows.map((row) => [row.mark, row]))
}

export type RetractedStory = { title: string; source: string; where: Reason }

/** The stories with a retracted copy, by the id of each story's first article. */
export async function retractedStories(db: Db, digest: string): Promise<Map<string, RetractedStory>> {
  const rows = await db
    .selectFrom('pulls')
    .innerJoin('articles', (join) =>
      join.on((eb) =>
        eb.or([
          eb('articles.id', '=', eb.ref('pulls.inForce')),
          eb('articles.canonical', '=', eb.ref('pulls.inForce')),
        ]),
      ),
    )
    .innerJoin('ledger', 'ledger.articleId', 'articles.id')
    .innerJoin('feeds', 'feeds.id', 'articles.feedId')
    .select((eb) => eb.fn.coalesce('ledger.sameAs', 'ledger.articleId').as('story'))
    .select(['articles.title', 'feeds.title as source', 'feeds.url as feedUrl', 'pulls.who', 'pulls.reason'])
    .where('pulls.inForce', 'is not', null)
    .where('ledger.digest', '=', digest)
    .where('ledger.quarantinedAt', 'is', null)
    .orderBy('articles.id', 'desc')
    .execute()
  return new Map(
    rows.map(({ story, title, source, feedUrl, who, reason }) => [
      story,
      { title, source: source || feedUrl, where: { code: 'copy-retracted' as const, who, words: reason } },
    ]),
  )
}

/** The active retractions of these articles and letters, by the id of each. */
export async function retractionsOf(db: Db, ids: string[]): Promise<Map<string, RetractionRow>> {
  if (ids.length === 0) return new Map()
  const byAddress = await db
    .selectFrom('articles')
    .innerJoin('pulls', 'pulls.inForce', 'articles.canonical')
    .selectAll('pulls')
    .select('articles.id as articleId')
    .where('articles.id', 'in', ids)
    .execute()
  const byId = await db.selectFrom('pulls').selectAll().where('inForce', 'in', ids).execute()
  return new Map([
    ...byAddress.map(({ articleId, ...pull }) => [articleId, pull] as const),
    ...byId.map((pull) => [pull.mark, pull] as const),
  ])
}

export type RetractedChoice = Pick<RetractionRow, 'who' | 'reason' | 'at'> & {
  /** Of an article or a letter. */
  itemId: string
  title: string
}

/** The articles and letters of the edition that were retracted after they were chosen. */
export async function retractedIn(db: Db, editionId: string): Promise<RetractedChoice[]> {
  const chosen = await chosenTitles(db).where('choices.editionId', '=', editionId).orderBy('choices.position').execute()
  const retractions = await retractionsOf(
    db,
    chosen.map(({ itemId }) => itemId),
  )
  return chosen.flatMap(({ itemId, headline, url }) => {
    const pull = retractions.get(itemId)
    return pull ? [{ itemId, title: headline || url, who: pull.who, reason: pull.reason, at: pull.at }] : []
  })
}

/** The articles and letters that editions chose, with the headline in each edition. */
function chosenTitles(db: Db) {
  return db
    .selectFrom('choices')
    .leftJoin('articles', 'articles.id', 'choices.articleId')
    .leftJoin('letters', 'letters.id', 'choices.letterId')
    .select(({ fn, val }) => [
      'choices.editionId',
      fn.coalesce('choices.articleId', 'choices.letterId', val('')).as('itemId'),
      fn.coalesce('choices.saidTitle', 'articles.title', 'letters.headline', val('')).as('headline'),
      fn.coalesce('articles.url', val('')).as('url'),
    ])
    .where('choices.position', 'is not', null)
}

export type AffectedEdition = { editionId: string; headline: string }

/**
 * The editions that chose an article or letter with one of these marks and did not end without it, with its headline in
 * each.
 */
export async function affectedEditions(db: Db, marks: string[]): Promise<AffectedEdition[]> {
  if (marks.length === 0) return []
  const marked = chosenTitles(db)
    .innerJoin('editions', 'editions.id', 'choices.editionId')
    .where('editions.status', 'in', [...openStatuses, 'sent'])
    .orderBy('choices.editionId')
    .orderBy('choices.position')
  const articleIds = db
    .selectFrom('articles')
    .select('articles.id')
    .where((eb) => eb.or([eb('id', 'in', marks), eb('canonical', 'in', marks)]))
  const rows = await marked
    .where((eb) => eb.or([eb('choices.articleId', 'in', articleIds), eb('choices.letterId', 'in', marks)]))
    .execute()
  return [...new Map(rows.toReversed().map((row) => [row.editionId, row])).values()].toReversed()
}
