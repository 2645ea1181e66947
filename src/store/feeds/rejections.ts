import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { Instant } from '../../time/clock.ts'
import { canonicalAddress, titleKey } from '../articles/canonical-address.ts'
import type { Reason } from '../events/reason.ts'
import { toJson } from '../json.ts'
import type { Db, RejectionRow } from '../schema.ts'

/** An entry of a feed that cannot be an article, and why; `link` and `guid` as the feed has them. */
export type RejectedEntry = { reason: Reason; title: string; link?: string; guid?: string }

/** A limit, so that a feed of invalid entries cannot fill the disk. */
export const maxRejectionsPerFeed = 200
/** A link may be a whole picture (data:). In characters. */
const maxLinkLength = 500

/** Saves the rejected entries of a feed, each once, with its first and last time. */
export async function saveRejections(db: Db, feedId: string, rejected: RejectedEntry[], now: Instant): Promise<void> {
  const rows = new Map<string, RejectionRow>()
  for (const one of rejected.toReversed()) {
    // rejections about the whole feed come last
    const row = toRow(feedId, one, now)
    if (!rows.has(row.entry) && rows.size < maxRejectionsPerFeed) rows.set(row.entry, row)
  }
  if (rows.size === 0) return
  await db
    .insertInto('rejections')
    .values([...rows.values()])
    .onConflict((conflict) =>
      conflict.columns(['feedId', 'entry']).doUpdateSet((eb) => ({
        title: eb.ref('excluded.title'),
        link: eb.ref('excluded.link'),
        guid: eb.ref('excluded.guid'),
        reason: eb.ref('excluded.reason'),
        lastAt: eb.ref('excluded.lastAt'),
      })),
    )
    .execute()
  await deleteOldestRejections(db, feedId)
}

async function deleteOldestRejections(db: Db, feedId: string): Promise<void> {
  const kept = db
    .selectFrom('rejections')
    .select('entry')
    .where('feedId', '=', feedId)
    .orderBy('lastAt', 'desc')
    .orderBy('entry')
    .limit(maxRejectionsPerFeed)
  await db.deleteFrom('rejections').where('feedId', '=', feedId).where('entry', 'not in', kept).execute()
}

function toRow(feedId: string, { reason, title, link = '', guid = '' }: RejectedEntry, now: Instant): RejectionRow {
  const what = guid || link || title || reason.code // of the feed as a whole
  return {
    feedId,
    entry: createHash('sha256').update(what).digest('hex').slice(0, 24),
    title,
    link: link.slice(0, maxLinkLength),
    guid: guid.slice(0, maxLinkLength),
    reason: toJson(reason),
    firstAt: now,
    lastAt: now,
  }
}

/** The last `perFeed` rejections of every feed, most recently shown first. */
export async function lastRejections(db: Db, perFeed: number): Promise<RejectionRow[]> {
  const ranked = db
    .selectFrom('rejections')
    .selectAll()
    .select(
      sql<number>`row_number() over (partition by feed_id order by last_at desc, first_at desc, entry)`.as('rank'),
    )
  return await db
    .selectFrom(ranked.as('ranked'))
    .select(['feedId', 'entry', 'title', 'link', 'guid', 'reason', 'firstAt', 'lastAt'])
    .where('rank', '<=', perFeed)
    .orderBy('feedId')
    .orderBy('rank')
    .execute()
}

/** Rejections with this link, guid or title, the last first, with the address of their feed. */
export async function findRejections(db: Db, what: string): Promise<(RejectionRow & { feedUrl: string })[]> {
  const rows = await db
    .selectFrom('rejections')
    .innerJoin('feeds', 'feeds.id', 'rejections.feedId')
    .selectAll('rejections')
    .select('feeds.url as feedUrl')
    .orderBy('lastAt', 'desc')
    .orderBy('entry')
    .execute()
  const [cut, canonical, key] = [what.slice(0, maxLinkLength), canonicalAddress(what), titleKey(what)]
  return rows.filter(
    ({ link, guid, title }) =>
      guid === cut || link === cut || canonicalAddress(link) === canonical || (title !== '' && titleKey(title) === key),
  )
}
