import { sql } from 'kysely'
import { addMs, type Instant, minute } from '../../time/clock.ts'
import { newId } from '../id.ts'
import type { Db, FeedHistoryRow, FeedRow } from '../schema.ts'

/** A statement has room for so many values. */
const maxFeedsPerQuery = 500

/** The feeds at these addresses, as the job files name them; those never seen before are added. */
export async function ensureFeeds(db: Db, urls: string[], now: Instant): Promise<FeedRow[]> {
  if (urls.length === 0) return []
  await db
    .insertInto('feeds')
    .values(urls.map((url) => newFeed(url, now)))
    .onConflict((conflict) => conflict.column('url').doNothing())
    .execute()
  return await db.selectFrom('feeds').selectAll().where('url', 'in', urls).orderBy('url').execute()
}

/** Keeps the names that somebody else has for feeds, until each says its own. */
export async function setTitlesUntilRead(db: Db, feeds: { url: string; title: string }[], now: Instant): Promise<void> {
  await ensureFeeds(
    db,
    feeds.map(({ url }) => url),
    now,
  )
  for (const { url, title } of feeds)
    await db.updateTable('feeds').set({ title }).where('url', '=', url).where('succeededAt', 'is', null).execute()
}

/** Whoever else decides about the feed waits until this transaction ends. */
export async function lockFeed(db: Db, id: string): Promise<void> {
  await db
    .updateTable('feeds')
    .set((eb) => ({ url: eb.ref('url') }))
    .where('id', '=', id)
    .execute()
}

function newFeed(url: string, now: Instant): FeedRow {
  return {
    id: newId(now),
    url,
    title: '',
    siteUrl: null,
    etag: null,
    lastModified: null,
    createdAt: now,
    fetchedAt: null,
    succeededAt: null,
    failures: 0,
    error: null,
    rejected: 0,
    address: null,
    goneAt: null,
    nextFetchAt: null,
    ttl: null,
    failingSince: null,
    firstItemAt: null,
    newestItemAt: null,
    longestSilence: null,
    weekly: null,
    bodiesAt: null,
  }
}

export function allFeeds(db: Db): Promise<FeedRow[]> {
  return db.selectFrom('feeds').selectAll().orderBy('url').execute()
}

/** Of the feeds at these addresses those that are known, by their address. */
export async function feedsAt(db: Db, urls: string[]): Promise<FeedRow[]> {
  const feeds: FeedRow[] = []
  for (let start = 0; start < urls.length; start += maxFeedsPerQuery)
    feeds.push(
      ...(await db
        .selectFrom('feeds')
        .selectAll()
        .where('url', 'in', urls.slice(start, start + maxFeedsPerQuery))
        .execute()),
    )
  return feeds.sort((a, b) => (a.url < b.url ? -1 : 1))
}

/** The feed that the job files name by this address. */
export function feedByUrl(db: Db, url: string): Promise<FeedRow | undefined> {
  return db.selectFrom('feeds').selectAll().where('url', '=', url).executeTakeFirst()
}

/** Whether another feed than this one is asked at the address. */
export async function isOtherFeedAddress(db: Db, id: string, address: string): Promise<boolean> {
  const other = await db
    .selectFrom('feeds')
    .select('id')
    .where('id', '!=', id)
    .where((eb) => eb.or([eb('url', '=', address), eb('address', '=', address)]))
    .limit(1)
    .executeTakeFirst()
  return other !== undefined
}

/** A visit takes far less; one that was cut off by a crash is made again after it. */
const maxVisitMs = 10 * minute

/** Takes a feed that is due, so that no other process asks it too. False: it is not due any more, or gone. */
export async function claimDueFeed(db: Db, id: string, now: Instant): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('feeds')
    .set({ nextFetchAt: addMs(now, maxVisitMs) })
    .where('id', '=', id)
    .where('goneAt', 'is', null)
    .where((eb) =>
      eb.or([
        eb('nextFetchAt', 'is', null),
        eb('nextFetchAt', '<=', now),
        eb.and([eb('fetchedAt', '>', addMs(now, maxVisitMs)), eb('nextFetchAt', '>', addMs(now, maxVisitMs))]),
      ]),
    )
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Whether the feed may be asked: its time has come, or a clock that was ahead has asked it, and its time is wrong. */
export function isFeedDue({ goneAt, nextFetchAt, fetchedAt }: FeedRow, now: Instant): boolean {
  if (goneAt !== null) return false
  if (nextFetchAt === null || nextFetchAt <= now) return true
  return fetchedAt !== null && fetchedAt > addMs(now, maxVisitMs) && nextFetchAt > addMs(now, maxVisitMs)
}

export type FeedSuccess = Pick<FeedRow, 'etag' | 'lastModified'> &
  Partial<
    Pick<
      FeedRow,
      | 'title'
      | 'siteUrl'
      | 'rejected'
      | 'address'
      | 'nextFetchAt'
      | 'ttl'
      | 'firstItemAt'
      | 'newestItemAt'
      | 'longestSilence'
      | 'weekly'
      | 'bodiesAt'
    >
  >

export async function recordSuccess(db: Db, id: string, success: FeedSuccess, now: Instant): Promise<void> {
  await db
    .updateTable('feeds')
    .set({ ...success, fetchedAt: now, succeededAt: now, failures: 0, error: null, failingSince: null, goneAt: null })
    .where('id', '=', id)
    .execute()
}

/** It is asked where the job files say, as if it had never moved. */
export async function clearFeedMove(db: Db, id: string): Promise<void> {
  await db.updateTable('feeds').set({ address: null, etag: null, lastModified: null }).where('id', '=', id).execute()
}

/**
 * Lets a feed be asked again at once, as if nothing had been wrong with it; one that is gone where the job files say.
 * False: there is none by that address.
 */
export async function retryFeedNow(db: Db, url: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('feeds')
    .set((eb) => ({
      goneAt: null,
      nextFetchAt: null,
      address: eb.case().when('goneAt', 'is', null).then(eb.ref('address')).else(null).end(),
    }))
    .where('url', '=', url)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

export type FeedFailure = Partial<Pick<FeedRow, 'nextFetchAt' | 'goneAt' | 'address' | 'etag' | 'lastModified'>>

export async function recordFailure(
  db: Db,
  id: string,
  error: string,
  now: Instant,
  failure: FeedFailure = {},
): Promise<void> {
  await db
    .updateTable('feeds')
    .set((eb) => ({
      ...failure,
      fetchedAt: now,
      failures: eb('failures', '+', 1),
      error,
      failingSince: eb.case().when('failingSince', '<=', now).then(eb.ref('failingSince')).else(now).end(),
    }))
    .where('id', '=', id)
    .execute()
}

/** When the newest articles of a feed came, the newest first: at most `limit`. */
export function arrivals(
  db: Db,
  feedId: string,
  limit: number,
): Promise<{ seenAt: Instant; publishedAt: Instant | null }[]> {
  return db
    .selectFrom('articles')
    .select(['seenAt', 'publishedAt'])
    .where('feedId', '=', feedId)
    .orderBy('seenAt', 'desc')
    .limit(limit)
    .execute()
}

/** When the feed showed its first article. */
export async function firstArticleSeenAt(db: Db, feedId: string): Promise<Instant | null> {
  const row = await db
    .selectFrom('articles')
    .select((eb) => eb.fn.min('seenAt').as('first'))
    .where('feedId', '=', feedId)
    .executeTakeFirst()
  return row?.first ?? null
}

/** Writes what became of a feed, once: the same words again, with nothing between, are not written. */
export async function recordFeedEventOnce(db: Db, feedId: string, what: string, now: Instant): Promise<boolean> {
  const last = await db
    .selectFrom('feedHistory')
    .select('what')
    .where('feedId', '=', feedId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (last?.what === what) return false
  await recordFeedEvent(db, feedId, what, now)
  return true
}

/** The same, for what stands on record each time that it happens. */
export async function recordFeedEvent(db: Db, feedId: string, what: string, now: Instant): Promise<void> {
  await db
    .insertInto('feedHistory')
    .values({ id: newId(now), feedId, at: now, what })
    .execute()
}

/** What became of all feeds, the oldest first. */
export function feedHistory(db: Db): Promise<FeedHistoryRow[]> {
  return db.selectFrom('feedHistory').selectAll().orderBy('id').execute()
}

/** The newest entries of the history of each of these feeds, at most `each`, the newest first. No older one is read. */
export async function newestFeedHistory(db: Db, feedIds: string[], perFeed: number): Promise<FeedHistoryRow[]> {
  const rows: FeedHistoryRow[] = []
  for (let start = 0; start < feedIds.length; start += maxFeedsPerQuery) {
    const ids = feedIds.slice(start, start + maxFeedsPerQuery)
    rows.push(
      ...(await db
        .selectFrom('feedHistory')
        .selectAll()
        .where((eb) => eb.or(Array.from({ length: perFeed }, (_, place) => eb('id', 'in', entriesAt(db, ids, place)))))
        .orderBy('id', 'desc')
        .execute()),
    )
  }
  return rows
}

/** The entry of each feed that `place` newer ones stand before: an index leads to it. */
function entriesAt(db: Db, feedIds: string[], place: number) {
  return db
    .selectFrom('feeds')
    .select((eb) =>
      eb
        .selectFrom('feedHistory as entry')
        .select('entry.id')
        .whereRef('entry.feedId', '=', 'feeds.id')
        .orderBy('entry.id', 'desc')
        .limit(1)
        .offset(place)
        .as('id'),
    )
    .where('feeds.id', 'in', feedIds)
}

/**
 * Forgets what became of each feed but for its `most` newest entries, and of these what is older than `before`. The
 * `least` newest stay, however old: they say how the feed came to be as it is.
 */
export async function pruneFeedHistory(
  db: Db,
  { most: maxEntries, least: minEntries, before }: { most: number; least: number; before: Instant },
): Promise<void> {
  const rank = sql<number>`row_number() over (partition by feed_id order by id desc)`.as('rank')
  const ranked = db.selectFrom('feedHistory').select(['id', 'at', rank]).as('ranked')
  const old = db
    .selectFrom(ranked)
    .select('id')
    .where((eb) => eb.or([eb('rank', '>', maxEntries), eb.and([eb('rank', '>', minEntries), eb('at', '<', before)])]))
  await db.deleteFrom('feedHistory').where('id', 'in', old).execute()
}
