import { sql } from 'kysely'
import type { Instant } from '../../time/clock.ts'
import type { ReasonOf } from '../events/reason.ts'
import { fromJson, toJson } from '../json.ts'
import type { Db, FeedRow, Publisher } from '../schema.ts'

/** The reason for quarantining the articles of a feed's new publisher; null: it has none. */
export function newPublisherReason({
  newPublisher,
}: Pick<FeedRow, 'newPublisher'>): ReasonOf<'feed-changed-hands'> | null {
  if (newPublisher === null) return null
  const { title, siteUrl } = fromJson(newPublisher)
  return { code: 'feed-changed-hands', title, siteUrl: siteUrl ?? '' }
}

/** The start of `newPublisherReason` in the JSON of a stored reason, for `like`. */
export const newPublisherPattern = '{"code":"feed-changed-hands"%'

/** Records what the feed's new publisher calls itself, and since when the feed has it. */
export async function recordNewPublisher(
  db: Db,
  { id, newPublisherAt }: FeedRow,
  publisher: Publisher,
  now: Instant,
): Promise<void> {
  await db
    .updateTable('feeds')
    .set({ newPublisherAt: newPublisherAt ?? now, newPublisher: toJson(publisher) })
    .where('id', '=', id)
    .execute()
}

/** The earlier publisher is back: the quarantined articles of the other one become backlog. */
export async function clearNewPublisher(db: Db, feed: FeedRow, now: Instant): Promise<void> {
  await db
    .updateTable('ledger')
    .set((eb) => ({
      quarantinedAt: null,
      quarantineReason: null,
      backlogAt: now,
      backlogReason: eb.ref('quarantineReason'),
    }))
    .where('feedId', '=', feed.id)
    .where('quarantinedAt', 'is not', null)
    .where(sql<string>`quarantine_reason`, 'like', newPublisherPattern)
    .execute()
  await db
    .updateTable('feeds')
    .set({ newPublisherAt: null, newPublisher: null, notOursAt: null })
    .where('id', '=', feed.id)
    .execute()
}

/** An editor accepts the new publisher: the feed has its title, site and address, and is fetched whole as soon as possible. */
export async function acceptPublisher(db: Db, feed: FeedRow, address: string | null): Promise<void> {
  if (feed.newPublisher === null) return
  const { title, siteUrl } = fromJson(feed.newPublisher)
  await db
    .updateTable('feeds')
    .set({ newPublisherAt: null, newPublisher: null, notOursAt: null, title, siteUrl, address })
    .set({ etag: null, lastModified: null, nextFetchAt: null })
    .where('id', '=', feed.id)
    .execute()
}

/** An editor refuses the new publisher: its articles are not saved, and the feed is fetched at its address in the job files. */
export async function refusePublisher(db: Db, feed: FeedRow, now: Instant): Promise<void> {
  await db
    .updateTable('feeds')
    .set({ notOursAt: now, address: null, etag: null, lastModified: null })
    .where('id', '=', feed.id)
    .execute()
}
