import { sql } from 'kysely'
import { openStatuses } from '../edition-status.ts'
import type { ArticleRow, Db } from '../schema.ts'

type NeededQuery = {
  /** Articles of one feed. */
  articles: Pick<ArticleRow, 'id' | 'canonical' | 'asked'>[]
  /** Articles that are deleted even while pending, because the feed has too many newer ones. */
  over: ReadonlySet<string>
}

/**
 * The articles that must be kept: those in an edition, pending, quarantined, used for comparison, considered by an
 * undecided edition, corrected, retracted, or named by an article that is kept. A caller that deletes the others must
 * hold the locks of the feed and of all digests.
 */
export async function neededArticles(db: Db, feedId: string, { articles, over }: NeededQuery): Promise<Set<string>> {
  const ids = articles.map(({ id }) => id)
  if (ids.length === 0) return new Set()
  const needed = new Set([
    ...(await inLedger(db, ids, over)),
    ...(await newestInLedger(db, feedId)),
    ...(await inEditions(db, ids)),
    ...(await corrected(db, ids)),
    ...(await retracted(db, articles)),
  ])
  for (;;) {
    const rest = ids.filter((id) => !needed.has(id))
    const named =
      rest.length === 0 ? [] : [...(await namedByOthers(db, rest)), ...(await publishedCopiesOfPending(db, rest))]
    if (named.length === 0) return needed
    for (const id of named) needed.add(id)
  }
}

/** In an edition, or pending, or waiting for an editor. */
async function inLedger(db: Db, ids: string[], over: ReadonlySet<string>): Promise<string[]> {
  const rows = await db
    .selectFrom('ledger')
    .select(['articleId', 'editionId'])
    .where('articleId', 'in', ids)
    .where((eb) => eb.or([eb('editionId', 'is not', null), eb('backlogAt', 'is', null)]))
    .execute()
  return rows
    .filter(({ articleId, editionId }) => editionId !== null || !over.has(articleId))
    .map((row) => row.articleId)
}

/** The newest article of the feed in each digest's ledger, which shows that the digest knows the feed. */
async function newestInLedger(db: Db, feedId: string): Promise<string[]> {
  const digests = await db.selectFrom('digests').select('name').execute()
  const newest: string[] = []
  for (const { name } of digests) {
    const row = await db
      .selectFrom('ledger')
      .select('articleId')
      .where('digest', '=', name)
      .where('feedId', '=', feedId)
      .orderBy('articleId', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (row) newest.push(row.articleId)
  }
  return newest
}

async function inEditions(db: Db, ids: string[]): Promise<string[]> {
  const rows = await db
    .selectFrom('choices')
    .innerJoin('editions', 'editions.id', 'choices.editionId')
    .select((eb) => eb.ref('choices.articleId').$notNull().as('articleId'))
    .where('choices.articleId', 'in', ids)
    .where((eb) =>
      eb.or([
        eb('editions.status', 'in', openStatuses),
        eb.and([eb('choices.position', 'is not', null), eb('editions.status', '!=', 'cancelled')]),
      ]),
    )
    .execute()
  return rows.map(({ articleId }) => articleId)
}

async function corrected(db: Db, ids: string[]): Promise<string[]> {
  const rows = await db.selectFrom('corrections').select('articleId').where('articleId', 'in', ids).execute()
  return rows.map(({ articleId }) => articleId)
}

/** Retracted now, or retracted once and restored. */
async function retracted(db: Db, articles: NeededQuery['articles']): Promise<string[]> {
  const marksOf = ({ id, canonical, asked }: NeededQuery['articles'][number]) => [id, canonical, asked ?? canonical]
  const rows = await db
    .selectFrom('pulls')
    .select('mark')
    .where('mark', 'in', [...new Set(articles.flatMap(marksOf))])
    .execute()
  const marks = new Set(rows.map(({ mark }) => mark))
  return articles.filter((one) => marksOf(one).some((mark) => marks.has(mark))).map(({ id }) => id)
}

/** First copies of stories with other copies, and articles that an editor declared to be different from another. */
async function namedByOthers(db: Db, ids: string[]): Promise<string[]> {
  const found: string[] = []
  for (const column of ['sameAs', 'unlike'] as const) {
    const rows = await db
      .selectFrom('ledger')
      .select(column)
      .distinct()
      .where(column, 'in', ids)
      .where('articleId', 'not in', ids)
      .execute()
    for (const row of rows) found.push(row[column] ?? '')
  }
  return found
}

/** Backlog copies of a pending article's story: without them the pending article would be chosen. */
async function publishedCopiesOfPending(db: Db, ids: string[]): Promise<string[]> {
  const story = (table: string) =>
    sql<string>`coalesce(${sql.ref(`${table}.sameAs`)}, ${sql.ref(`${table}.articleId`)})`
  const rows = await db
    .selectFrom('ledger as copy')
    .innerJoin('ledger as pending', (join) =>
      join.onRef('pending.digest', '=', 'copy.digest').on(story('pending'), '=', story('copy')),
    )
    .select('copy.articleId')
    .distinct()
    .where('copy.articleId', 'in', ids)
    .where('pending.articleId', 'not in', ids)
    .where('pending.editionId', 'is', null)
    .where('pending.backlogAt', 'is', null)
    .execute()
  return rows.map(({ articleId }) => articleId)
}
