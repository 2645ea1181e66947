import type { Instant } from '../../time/clock.ts'
import type { ChoiceRow, Db } from '../schema.ts'

/** The headline of an article in a sealed edition, and the state of the article's page at that time. */
export type PrintedTitle = Pick<
  ChoiceRow,
  'saidTitle' | 'saidUrl' | 'saidNote' | 'feedTitle' | 'pageTitle' | 'pageNote'
>

/** Saves the edition's headline with the choice; the article row changes with its feed. */
export async function recordPrinted(
  db: Db,
  editionId: string,
  articleId: string,
  printed: Partial<PrintedTitle & Pick<ChoiceRow, 'lookedAt' | 'missingAt'>>,
): Promise<void> {
  await db
    .updateTable('choices')
    .set(printed)
    .where('editionId', '=', editionId)
    .where('articleId', '=', articleId)
    .execute()
}

export type PrintedTitleRow = Awaited<ReturnType<typeof printedTitlesSince>>[number]

/** Every article in editions of the digest approved since then, with its current headline. */
export function printedTitlesSince(db: Db, digest: string, since: Instant) {
  return printedTitles(db).where('editions.digest', '=', digest).where('editions.approvedAt', '>=', since).execute()
}

/** One article of one edition, with its current headline. */
export function printedTitleOf(db: Db, editionId: string, articleId: string): Promise<PrintedTitleRow | undefined> {
  return printedTitles(db)
    .where('choices.editionId', '=', editionId)
    .where('choices.articleId', '=', articleId)
    .executeTakeFirst()
}

function printedTitles(db: Db) {
  return db
    .selectFrom('choices')
    .innerJoin('editions', 'editions.id', 'choices.editionId')
    .innerJoin('ledger', (join) =>
      join
        .onRef('ledger.editionId', '=', 'choices.editionId')
        .onRef('ledger.articleId', '=', 'choices.articleId')
        .onRef('ledger.digest', '=', 'editions.digest'),
    )
    .innerJoin('articles', 'articles.id', 'choices.articleId')
    .innerJoin('feeds', 'feeds.id', 'articles.feedId')
    .select(['choices.editionId', 'articles.id as articleId', 'choices.saidNote'])
    .select(['choices.feedTitle', 'choices.pageTitle', 'choices.pageNote'])
    .select(['choices.lookedAt', 'choices.missingAt', 'editions.digest', 'editions.approvedAt', 'editions.sealedAt'])
    .select((eb) => [eb.ref('choices.saidTitle').$notNull().as('saidTitle')])
    .select((eb) => [eb.ref('choices.saidUrl').$notNull().as('saidUrl')])
    .select(['articles.title', 'articles.url', 'articles.note', 'feeds.title as source'])
    .where('choices.saidTitle', 'is not', null)
    .where('choices.saidUrl', 'is not', null)
}

/** Claims the check of the article's page; false: another process checks it, or has checked it. */
export async function claimRecheck(
  db: Db,
  { editionId, articleId, lookedAt }: Pick<PrintedTitleRow, 'editionId' | 'articleId' | 'lookedAt'>,
  now: Instant,
): Promise<boolean> {
  const claimed = await db
    .updateTable('choices')
    .set({ lookedAt: now })
    .where('editionId', '=', editionId)
    .where('articleId', '=', articleId)
    .where('lookedAt', lookedAt === null ? 'is' : '=', lookedAt)
    .returning('articleId')
    .executeTakeFirst()
  return claimed !== undefined
}
