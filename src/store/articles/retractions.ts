import type { Instant } from '../../time/clock.ts'
import { openStatuses } from '../edition-status.ts'
import { newId } from '../id.ts'
import type { Db, RetractionRow } from '../schema.ts'

/** The marks by which articles are known: each one's id, and its address, if it has one, under which it may come back in another feed. */
export async function retractionMarks(db: Db, articleIds: string[]): Promise<string[]> {
  if (articleIds.length === 0) return []
  const rows = await db.selectFrom('articles').select(['id', 'canonical']).where('id', 'in', articleIds).execute()
  return [...new Set(rows.flatMap(({ id, canonical }) => (canonical === '' ? [id] : [id, canonical])))]
}

export type NewRetraction = Pick<RetractionRow, 'url' | 'title' | 'who' | 'reason'>

/** Pulls what bears these marks. Returns how many were not pulled before. */
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

/** Ends every pull of these marks; returns how many that were. */
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

/** Every pull that there ever was, the newest first, each once whatever its marks. */
export async function allRetractions(db: Db): Promise<RetractionRow[]> {
  const rows = await db.selectFrom('pulls').selectAll().orderBy('id', 'desc').execute()
  const once = new Map(rows.map((row) => [`${row.url} ${row.at}`, row]))
  return [...once.values()]
}

/** The pulls in force, by their marks. */
export async function activeRetractions(db: Db): Promise<Map<string, RetractionRow>> {
  const rows = await db.selectFrom('pulls').selectAll().where('inForce', 'is not', null).execute()
  return new Map(rows.map((row) => [row.mark, row]))
}

export type RetractedStory = { title: string; source: string; how: string }

/** The stories of which a copy is pulled, by the article that told each first; `how` it was, in words. */
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
      { title, source: source || feedUrl, how: `which was retracted by ${who}: ${reason}` },
    ]),
  )
}

/** The pulls in force of these articles, by article. */
export async function retractionsOf(db: Db, articleIds: string[]): Promise<Map<string, RetractionRow>> {
  if (articleIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('articles')
    .innerJoin('pulls', (join) =>
      join.on((eb) =>
        eb.or([
          eb('pulls.inForce', '=', eb.ref('articles.id')),
          eb('pulls.inForce', '=', eb.ref('articles.canonical')),
        ]),
      ),
    )
    .selectAll('pulls')
    .select('articles.id as articleId')
    .where('articles.id', 'in', articleIds)
    .execute()
  return new Map(rows.map(({ articleId, ...pull }) => [articleId, pull]))
}

export type RetractedChoice = Pick<RetractionRow, 'url' | 'who' | 'reason' | 'at'> & {
  articleId: string
  title: string
}

/** The pulled articles that the edition chose. */
export async function retractedIn(db: Db, editionId: string): Promise<RetractedChoice[]> {
  const chosen = await db
    .selectFrom('choices')
    .innerJoin('articles', 'articles.id', 'choices.articleId')
    .select(['articles.id', 'articles.url'])
    .select((eb) => eb.fn.coalesce('choices.saidTitle', 'articles.title').as('headline'))
    .where('choices.editionId', '=', editionId)
    .where('choices.position', 'is not', null)
    .orderBy('choices.position')
    .execute()
  const retractions = await retractionsOf(
    db,
    chosen.map(({ id }) => id),
  )
  return chosen.flatMap(({ id, headline, url }) => {
    const pull = retractions.get(id)
    return pull ? [{ articleId: id, title: headline || url, url, who: pull.who, reason: pull.reason, at: pull.at }] : []
  })
}

export type AffectedEdition = { editionId: string; headline: string }

/** The editions that chose an article with one of these marks, and have not ended without it; with the headline that each gives it. */
export async function affectedEditions(db: Db, marks: string[]): Promise<AffectedEdition[]> {
  if (marks.length === 0) return []
  const rows = await db
    .selectFrom('editions')
    .innerJoin('choices', 'choices.editionId', 'editions.id')
    .innerJoin('articles', 'articles.id', 'choices.articleId')
    .select('editions.id as editionId')
    .select((eb) => eb.fn.coalesce('choices.saidTitle', 'articles.title').as('headline'))
    .where('editions.status', 'in', [...openStatuses, 'sent'])
    .where('choices.position', 'is not', null)
    .where((either) => either.or([either('articles.id', 'in', marks), either('articles.canonical', 'in', marks)]))
    .orderBy('editions.id')
    .orderBy('choices.position')
    .execute()
  return [...new Map(rows.toReversed().map((row) => [row.editionId, row])).values()].toReversed()
}
