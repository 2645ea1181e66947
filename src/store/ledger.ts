import type { Instant } from '../clock.ts'
import type { Db } from './schema.ts'

/** Whether the digest has ever taken articles of this feed into its ledger. */
export async function hasMet(db: Db, digest: string, feedId: string): Promise<boolean> {
  const row = await db
    .selectFrom('ledger')
    .select('articleId')
    .where('digest', '=', digest)
    .where('feedId', '=', feedId)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Takes every article of the feed that the digest does not know into its ledger, as pending. Returns their ids. */
export async function enrol(db: Db, digest: string, feedId: string, now: Instant): Promise<string[]> {
  const rows = await db
    .insertInto('ledger')
    .columns(['digest', 'articleId', 'feedId', 'enrolledAt'])
    .expression((eb) =>
      eb
        .selectFrom('articles')
        .select([eb.val(digest).as('digest'), 'articles.id', 'articles.feedId', eb.val(now).as('enrolledAt')])
        .where('articles.feedId', '=', feedId)
        .where((not) =>
          not.not(
            not.exists(
              not
                .selectFrom('ledger')
                .select('ledger.articleId')
                .where('ledger.digest', '=', digest)
                .whereRef('ledger.articleId', '=', 'articles.id'),
            ),
          ),
        ),
    )
    .onConflict((conflict) => conflict.columns(['digest', 'articleId']).doNothing())
    .returning('articleId')
    .execute()
  return rows.map((row) => row.articleId)
}

/** Marks all but the newest `keep` articles of the feed as backlog: seen, and never to be mailed by this digest. */
export async function markBacklog(db: Db, digest: string, feedId: string, keep: number, now: Instant): Promise<void> {
  await db
    .updateTable('ledger')
    .set({ backlogAt: now })
    .where('digest', '=', digest)
    .where('feedId', '=', feedId)
    .where('editionId', 'is', null)
    .where('articleId', 'not in', (eb) =>
      eb
        .selectFrom('articles')
        .select('articles.id')
        .where('articles.feedId', '=', feedId)
        .orderBy((order) => order.fn.coalesce('articles.publishedAt', 'articles.seenAt'), 'desc')
        .orderBy('articles.id')
        .limit(keep),
    )
    .execute()
}

/** Gives the articles to the edition; returns how many were still free. Fewer than asked for: somebody was quicker. */
export async function claimArticles(db: Db, digest: string, editionId: string, articleIds: string[]): Promise<number> {
  if (articleIds.length === 0) return 0
  const result = await db
    .updateTable('ledger')
    .set({ editionId })
    .where('digest', '=', digest)
    .where('articleId', 'in', articleIds)
    .where('editionId', 'is', null)
    .where('backlogAt', 'is', null)
    .where('sameAs', 'is', null)
    .where('heldAt', 'is', null)
    .where('articleId', 'not in', (eb) =>
      eb
        .selectFrom('articles')
        .innerJoin('pulls', (join) =>
          join.on((on) =>
            on.or([
              on('pulls.inForce', '=', on.ref('articles.id')),
              on('pulls.inForce', '=', on.ref('articles.canonical')),
            ]),
          ),
        )
        .select('articles.id')
        .where('articles.id', 'in', articleIds),
    )
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** Gives every article of the edition back: pending again. */
export async function giveBack(db: Db, editionId: string): Promise<void> {
  await db.updateTable('ledger').set({ editionId: null }).where('editionId', '=', editionId).execute()
}

export function ledgerOf(db: Db, articleId: string) {
  return db
    .selectFrom('ledger')
    .leftJoin('editions', 'editions.id', 'ledger.editionId')
    .leftJoin('articles as root', 'root.id', 'ledger.sameAs')
    .leftJoin('feeds as rootFeed', 'rootFeed.id', 'root.feedId')
    .leftJoin('ledger as rootEntry', (join) =>
      join.onRef('rootEntry.articleId', '=', 'ledger.sameAs').onRef('rootEntry.digest', '=', 'ledger.digest'),
    )
    .leftJoin('editions as rootEdition', 'rootEdition.id', 'rootEntry.editionId')
    .leftJoin('letters', 'letters.articleId', 'ledger.articleId')
    .selectAll('ledger')
    .select([
      'letters.withdrawnAt',
      'letters.withdrawnBy',
      'editions.number',
      'editions.status',
      'root.title as rootTitle',
      'root.url as rootUrl',
    ])
    .select(['rootFeed.url as rootFeedUrl', 'rootFeed.title as rootSource', 'rootEdition.number as rootNumber'])
    .where('ledger.articleId', '=', articleId)
    .execute()
}
