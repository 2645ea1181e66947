import { addMs, type Instant } from '../../time/clock.ts'
import { lockAllDigests } from '../digests/digests.ts'
import { transaction } from '../drivers/transaction.ts'
import { addFeedEventOnce } from '../events/events.ts'
import { lockFeed } from '../feeds/feeds.ts'
import type { ArticleRow, Db } from '../schema.ts'
import { forgottenRow } from './forgotten.ts'
import { neededArticles } from './needed.ts'

/** When an article that is not needed is deleted. */
export type RetentionRule = {
  /** Time since the feed last contained it. */
  keepMs: number
  /** How many of a feed's newest articles are kept. */
  maxPerFeed: number
  /** An article that the feed contained within this time is kept, even with too many newer ones. */
  shownWithinMs: number
  /** How many deleted articles of a feed are remembered, to recognise them when they return. */
  maxForgottenPerFeed: number
}

type ArticlePosition = Pick<ArticleRow, 'seenAt' | 'id'>

/** The rule applied to one feed now. The limits stay valid while articles are deleted and while the feed changes. */
export type RetentionLimits = {
  /** An article last shown before then is deleted because of its age. */
  shownBefore: Instant
  /** The newest article beyond `maxPerFeed`; undefined if there are not too many. */
  newestOver: ArticlePosition | undefined
  /** An article last shown before then is no longer in the feed. */
  goneBefore: Instant
}

type RetentionCandidate = ArticlePosition & Pick<ArticleRow, 'shownAt'>

/** The ids of all feeds. */
export async function feedIds(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('feeds').select('id').orderBy('id').execute()
  return rows.map(({ id }) => id)
}

/**
 * The result of one batch: the number of deleted articles, and where the next batch begins (null: this was the last).
 */
export type ForgetBatch = { forgotten: number; next: ArticlePosition | null }

/**
 * Checks the next `size` articles of the feed, oldest first, and deletes those that are not needed with all their rows,
 * in one transaction. `forgottenArticles` keeps the hashes that recognise them.
 */
export async function forgetArticleBatch(
  db: Db,
  feedId: string,
  { limits, now, after, size }: { limits: RetentionLimits; now: Instant; after: ArticlePosition | null; size: number },
): Promise<ForgetBatch> {
  const looked = await oldestOf(db, feedId, limits, { after, size })
  const last = looked.at(-1)
  const next = looked.length === size && last ? { seenAt: last.seenAt, id: last.id } : null
  const ids = looked.filter((one) => reasonFor(one, limits) !== null).map(({ id }) => id)
  if (ids.length === 0) return { forgotten: 0, next }
  const forgotten = await transaction(db, async (trx) => {
    await lockFeed(trx, feedId) // prevents reads of the feed until the end
    await lockAllDigests(trx, [], now) // prevents composing, comparing and decisions until the end
    return await forget(trx, feedId, { ids, limits, now })
  })
  return { forgotten, next }
}

export async function retentionLimits(
  db: Db,
  feedId: string,
  rule: RetentionRule,
  now: Instant,
): Promise<RetentionLimits> {
  const newest = db
    .selectFrom('articles')
    .select(['seenAt', 'id'])
    .where('feedId', '=', feedId)
    .orderBy('seenAt', 'desc')
    .orderBy('id', 'desc')
  const newestOver = await newest.offset(rule.maxPerFeed).limit(1).executeTakeFirst()
  const inFeed = await newest.select('shownAt').limit(newestCount).execute()
  const lastShown = inFeed.reduce((last, { shownAt }) => (shownAt > last ? shownAt : last), '')
  const earlier = (instant: Instant) => (instant < lastShown ? instant : lastShown)
  return {
    shownBefore: earlier(addMs(now, -rule.keepMs)),
    newestOver,
    goneBefore: earlier(addMs(now, -rule.shownWithinMs)),
  }
}

/** The articles in the feed now are among its newest ones, or were last shown at the same time as one of these. */
const newestCount = 200

function reasonFor(article: RetentionCandidate, limits: RetentionLimits): 'age' | 'count' | null {
  if (article.shownAt < limits.shownBefore) return 'age'
  return isOver(article, limits) ? 'count' : null
}

function isOver({ seenAt, id, shownAt }: RetentionCandidate, { newestOver, goneBefore }: RetentionLimits): boolean {
  if (!newestOver || shownAt >= goneBefore) return false
  return seenAt === newestOver.seenAt ? id <= newestOver.id : seenAt < newestOver.seenAt
}

function oldestOf(
  db: Db,
  feedId: string,
  { shownBefore, newestOver }: RetentionLimits,
  { after, size }: { after: ArticlePosition | null; size: number },
): Promise<RetentionCandidate[]> {
  const seenUntil = newestOver && newestOver.seenAt > shownBefore ? newestOver.seenAt : shownBefore
  const oldest = db
    .selectFrom('articles')
    .select(['id', 'seenAt', 'shownAt'])
    .where('feedId', '=', feedId)
    .where('seenAt', '<=', seenUntil)
    .orderBy('seenAt')
    .orderBy('id')
    .limit(size)
  if (after === null) return oldest.execute()
  return oldest
    .where('seenAt', '>=', after.seenAt)
    .where((eb) => eb.or([eb('seenAt', '>', after.seenAt), eb('id', '>', after.id)]))
    .execute()
}

async function forget(
  db: Db,
  feedId: string,
  { ids, limits, now }: { ids: string[]; limits: RetentionLimits; now: Instant },
): Promise<number> {
  const articles = await db
    .selectFrom('articles')
    .select(['id', 'feedId', 'identity', 'canonical', 'asked', 'titleKey', 'publishedAt', 'seenAt', 'shownAt'])
    .where('id', 'in', ids)
    .execute()
  const dispensable = articles.filter((one) => reasonFor(one, limits) !== null) // the feed may have contained it again since
  const over = new Set(dispensable.filter((one) => isOver(one, limits)).map(({ id }) => id))
  const needed = await neededArticles(db, feedId, { articles: dispensable, over })
  const gone = dispensable.filter(({ id }) => !needed.has(id))
  if (gone.length === 0) return 0
  const rows = gone.map((one) => forgottenRow(one, reasonFor(one, limits) ?? 'age', now))
  await db
    .insertInto('forgottenArticles')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['identity', 'feedId']).doUpdateSet({ forgottenAt: now, shownAt: now }))
    .execute()
  const goneIds = gone.map(({ id }) => id)
  for (const table of ['choices', 'earlierAddresses', 'ledger'] as const)
    await db.deleteFrom(table).where('articleId', 'in', goneIds).execute()
  await db.deleteFrom('articles').where('id', 'in', goneIds).execute()
  if (rows.some(({ reason }) => reason === 'count'))
    await addFeedEventOnce(db, { kind: 'feed.articles_forgotten', actor: 'system', feed: feedId, data: {} }, now)
  return gone.length
}

/** Deletes at most `size` forgotten articles of the feed, least recently shown first. Returns how many. */
export async function deleteOldestForgotten(
  db: Db,
  feedId: string,
  maxForgotten: number,
  batchSize: number,
): Promise<number> {
  const ofFeed = db.selectFrom('forgottenArticles').where('feedId', '=', feedId)
  const over = await ofFeed
    .select('shownAt')
    .orderBy('shownAt', 'desc')
    .offset(maxForgotten)
    .limit(1)
    .executeTakeFirst()
  if (!over) return 0
  const oldest = await ofFeed
    .select('identity')
    .where('shownAt', '<=', over.shownAt)
    .orderBy('shownAt')
    .limit(batchSize)
    .execute()
  const dropped = await db
    .deleteFrom('forgottenArticles')
    .where('feedId', '=', feedId)
    .where(
      'identity',
      'in',
      oldest.map(({ identity }) => identity),
    )
    .executeTakeFirst()
  return Number(dropped.numDeletedRows)
}
