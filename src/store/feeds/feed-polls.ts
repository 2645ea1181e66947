import { addMs, type Instant, minute } from '../../time/clock.ts'
import type { Reason } from '../events/reason.ts'
import { toJson } from '../json.ts'
import type { Db, FeedRow } from '../schema.ts'

/** Far longer than a poll takes; after it, a poll that a crash interrupted is repeated. */
const maxVisitMs = 10 * minute

/** Claims a due feed, so that no other process fetches it. False: it is no longer due, or gone. */
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

/** Whether the feed may be fetched: it is due, or a clock that was ahead set its times. */
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

/** Removes the redirect: the feed is fetched at its address in the job files again. */
export async function clearFeedMove(db: Db, id: string): Promise<void> {
  await db.updateTable('feeds').set({ address: null, etag: null, lastModified: null }).where('id', '=', id).execute()
}

/**
 * Makes a feed due now; a feed that is gone (410) is fetched again, from the address in the job files.
 * False: no feed has that address.
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
  error: Reason,
  now: Instant,
  failure: FeedFailure = {},
): Promise<void> {
  await db
    .updateTable('feeds')
    .set((eb) => ({
      ...failure,
      fetchedAt: now,
      failures: eb('failures', '+', 1),
      error: toJson(error),
      failingSince: eb.case().when('failingSince', '<=', now).then(eb.ref('failingSince')).else(now).end(),
    }))
    .where('id', '=', id)
    .execute()
}

/** When the newest articles of a feed were first seen, newest first: at most `limit`. */
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

/** When the first article of the feed was seen. */
export async function firstArticleSeenAt(db: Db, feedId: string): Promise<Instant | null> {
  const row = await db
    .selectFrom('articles')
    .select((eb) => eb.fn.min('seenAt').as('first'))
    .where('feedId', '=', feedId)
    .executeTakeFirst()
  return row?.first ?? null
}
