import type { Instant } from '../clock.ts'
import { newId } from './id.ts'
import type { Db, FeedRow } from './schema.ts'

/** The feeds at these addresses; those never seen before are added. */
export async function knowFeeds(db: Db, urls: string[], now: Instant): Promise<FeedRow[]> {
  if (urls.length === 0) return []
  await db
    .insertInto('feeds')
    .values(
      urls.map((url) => ({
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
      })),
    )
    .onConflict((conflict) => conflict.column('url').doNothing())
    .execute()
  return await db.selectFrom('feeds').selectAll().where('url', 'in', urls).orderBy('url').execute()
}

export function allFeeds(db: Db): Promise<FeedRow[]> {
  return db.selectFrom('feeds').selectAll().orderBy('url').execute()
}

export type FeedSuccess = {
  title?: string
  siteUrl?: string | null
  etag: string | null
  lastModified: string | null
  rejected?: number
}

export async function recordSuccess(db: Db, id: string, success: FeedSuccess, now: Instant): Promise<void> {
  await db
    .updateTable('feeds')
    .set({ ...success, fetchedAt: now, succeededAt: now, failures: 0, error: null })
    .where('id', '=', id)
    .execute()
}

export async function recordFailure(db: Db, id: string, error: string, now: Instant): Promise<void> {
  await db
    .updateTable('feeds')
    .set((eb) => ({ fetchedAt: now, failures: eb('failures', '+', 1), error }))
    .where('id', '=', id)
    .execute()
}

export function feedByUrl(db: Db, url: string): Promise<FeedRow | undefined> {
  return db.selectFrom('feeds').selectAll().where('url', '=', url).executeTakeFirst()
}
