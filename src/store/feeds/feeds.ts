import type { Instant } from '../../time/clock.ts'
import { newId } from '../id.ts'
import type { Db, FeedRow } from '../schema.ts'

/** Limits the values of one statement. */
const maxFeedsPerQuery = 500

/** The feeds at these addresses in the job files; new ones are added. */
export async function ensureFeeds(db: Db, urls: string[], now: Instant): Promise<FeedRow[]> {
  if (urls.length === 0) return []
  await db
    .insertInto('feeds')
    .values(urls.map((url) => newFeed(url, now)))
    .onConflict((conflict) => conflict.column('url').doNothing())
    .execute()
  return await db.selectFrom('feeds').selectAll().where('url', 'in', urls).orderBy('url').execute()
}

/** Adds missing feeds, and sets the title of feeds that were never read successfully. */
export async function setTitlesUntilRead(db: Db, feeds: { url: string; title: string }[], now: Instant): Promise<void> {
  await ensureFeeds(
    db,
    feeds.map(({ url }) => url),
    now,
  )
  for (const { url, title } of feeds)
    await db.updateTable('feeds').set({ title }).where('url', '=', url).where('succeededAt', 'is', null).execute()
}

/** Locks the feed until this transaction ends. */
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
    newPublisherAt: null,
    newPublisher: null,
    notOursAt: null,
  }
}

export function allFeeds(db: Db): Promise<FeedRow[]> {
  return db.selectFrom('feeds').selectAll().orderBy('url').execute()
}

/** The known feeds among these addresses, by address. */
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

/** The feed with this address in the job files. */
export function feedByUrl(db: Db, url: string): Promise<FeedRow | undefined> {
  return db.selectFrom('feeds').selectAll().where('url', '=', url).executeTakeFirst()
}

/** The feed with this id, which must exist. */
export function feedById(db: Db, id: string): Promise<FeedRow> {
  return db.selectFrom('feeds').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}

/** Whether another feed is fetched from the address. */
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
