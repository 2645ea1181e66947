import type { Instant } from '../../time/clock.ts'
import { retractedStories } from '../articles/retractions.ts'
import type { Reason } from '../events/reason.ts'
import { toJson } from '../json.ts'
import type { Db, FeedRow } from '../schema.ts'
import { publishedCopies } from './stories.ts'

export type FeedWithArticles = Pick<FeedRow, 'id' | 'url' | 'newPublisherAt' | 'newPublisher'>

/** The feeds at these addresses that have articles outside the digest's ledger. */
export async function feedsWithNewArticles(db: Db, digest: string, urls: string[]): Promise<FeedWithArticles[]> {
  if (urls.length === 0) return []
  const feeds = await db
    .selectFrom('feeds')
    .select(['feeds.id', 'feeds.url', 'feeds.newPublisherAt', 'feeds.newPublisher'])
    .select((eb) => [
      eb
        .selectFrom('articles')
        .select((count) => count.fn.countAll<number>().as('count'))
        .whereRef('articles.feedId', '=', 'feeds.id')
        .as('shown'),
      eb
        .selectFrom('ledger')
        .select((count) => count.fn.countAll<number>().as('count'))
        .where('ledger.digest', '=', digest)
        .whereRef('ledger.feedId', '=', 'feeds.id')
        .as('known'),
    ])
    .where('feeds.url', 'in', urls)
    .orderBy('feeds.url')
    .execute()
  return feeds.filter(({ shown, known }) => shown !== known)
}

/** Whether any article of this feed is in the digest's ledger. */
export async function knowsFeed(db: Db, digest: string, feedId: string): Promise<boolean> {
  const row = await db
    .selectFrom('ledger')
    .select('articleId')
    .where('digest', '=', digest)
    .where('feedId', '=', feedId)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Adds every new article of the feed to the digest's ledger, as pending. Returns their ids. */
export async function addToLedger(db: Db, digest: string, feedId: string, now: Instant): Promise<string[]> {
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

/** Marks all other articles of the feed as backlog: this digest never mails them. */
export async function markBacklog(
  db: Db,
  digest: string,
  feedId: string,
  pending: string[],
  now: Instant,
): Promise<void> {
  const all = db
    .updateTable('ledger')
    .set({ backlogAt: now })
    .where('digest', '=', digest)
    .where('feedId', '=', feedId)
    .where('editionId', 'is', null)
  await (pending.length === 0 ? all : all.where('articleId', 'not in', pending)).execute()
}

/** Makes one pending article backlog, with the reason. */
export async function moveToBacklog(
  db: Db,
  digest: string,
  { articleId, reason, now }: { articleId: string; reason: Reason; now: Instant },
): Promise<void> {
  await db
    .updateTable('ledger')
    .set({ backlogAt: now, backlogReason: toJson(reason) })
    .where('digest', '=', digest)
    .where('articleId', '=', articleId)
    .where('editionId', 'is', null)
    .where('backlogAt', 'is', null)
    .execute()
}

/**
 * Gives the articles to the edition; returns how many were still free. Fewer than requested: another process was
 * faster, two articles have the same story, or a story is already published.
 */
export async function claimArticles(db: Db, digest: string, editionId: string, articleIds: string[]): Promise<number> {
  const free = await publishableArticles(db, digest, articleIds)
  if (free.length === 0) return 0
  const result = await db
    .updateTable('ledger')
    .set({ editionId })
    .where('digest', '=', digest)
    .where('articleId', 'in', free)
    .where('editionId', 'is', null)
    .where('backlogAt', 'is', null)
    .where('quarantinedAt', 'is', null)
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
        .where('articles.id', 'in', free),
    )
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** One article of each story that is not yet published and has no retracted copy. */
async function publishableArticles(db: Db, digest: string, articleIds: string[]): Promise<string[]> {
  if (articleIds.length === 0) return []
  const published = new Set((await publishedCopies(db, digest, articleIds)).map(({ articleId }) => articleId))
  const retracted = await retractedStories(db, digest)
  const rows = await db
    .selectFrom('ledger')
    .select(['articleId', 'sameAs'])
    .where('digest', '=', digest)
    .where('articleId', 'in', articleIds)
    .execute()
  const stories = new Map(rows.map(({ articleId, sameAs }) => [sameAs ?? articleId, articleId]))
  return [...stories].flatMap(([story, id]) => (published.has(id) || retracted.has(story) ? [] : [id]))
}

/** Moves the articles that the edition passed over for the last time to backlog. */
export async function expirePassedOver(db: Db, digest: string, editionId: string, now: Instant): Promise<void> {
  await expirePending(db, digest, editionId, now)
    .where('articleId', 'in', (eb) =>
      eb
        .selectFrom('choices')
        .select('choices.articleId')
        .where('choices.editionId', '=', editionId)
        .where('choices.lastAt', 'is not', null),
    )
    .execute()
}

/** Moves all pending articles that were published or seen by then to backlog, because of the skipped edition. */
export async function dropPending(
  db: Db,
  digest: string,
  { editionId, by, now }: { editionId: string; by: Instant; now: Instant },
): Promise<void> {
  await expirePending(db, digest, editionId, now)
    .where('articleId', 'in', (eb) =>
      eb
        .selectFrom('articles')
        .select('articles.id')
        .where((or) => or.or([or('articles.publishedAt', '<=', by), or('articles.seenAt', '<=', by)])),
    )
    .execute()
}

/** Moves pending articles to backlog because of the edition; `releaseArticles` makes them pending again. */
function expirePending(db: Db, digest: string, editionId: string, now: Instant) {
  return db
    .updateTable('ledger')
    .set({ backlogAt: now, lapsedIn: editionId })
    .where('digest', '=', digest)
    .where('editionId', 'is', null)
    .where('backlogAt', 'is', null)
    .where('quarantinedAt', 'is', null)
}

/** Makes every article of the edition pending again, including those that expired with it. */
export async function releaseArticles(db: Db, editionId: string): Promise<void> {
  await db.updateTable('ledger').set({ editionId: null }).where('editionId', '=', editionId).execute()
  await db.updateTable('ledger').set({ backlogAt: null, lapsedIn: null }).where('lapsedIn', '=', editionId).execute()
}

/** The state of the article in every digest. */
export function ledgerOf(db: Db, articleId: string) {
  return db
    .selectFrom('ledger')
    .leftJoin('editions', 'editions.id', 'ledger.editionId')
    .selectAll('ledger')
    .select(['editions.number', 'editions.status'])
    .where('ledger.articleId', '=', articleId)
    .execute()
}

/** Makes one article pending again that the edition passed over for the last time. */
export async function releaseExpired(db: Db, editionId: string, articleId: string): Promise<void> {
  await db
    .updateTable('ledger')
    .set({ backlogAt: null, lapsedIn: null })
    .where('lapsedIn', '=', editionId)
    .where('articleId', '=', articleId)
    .execute()
}

/** The state of an article in the digest; undefined if it is not in the ledger. */
export function ledgerEntry(db: Db, digest: string, articleId: string) {
  return db
    .selectFrom('ledger')
    .leftJoin('editions', 'editions.id', 'ledger.editionId')
    .selectAll('ledger')
    .select(['editions.number', 'editions.dueAt'])
    .where('ledger.digest', '=', digest)
    .where('ledger.articleId', '=', articleId)
    .executeTakeFirst()
}
