import { sql } from 'kysely'
import type { Instant } from '../../time/clock.ts'
import { newId } from '../id.ts'
import { fromJson, toJson } from '../json.ts'
import type { Db, EventRow } from '../schema.ts'
import type { NewEvent, PastEvent } from './event.ts'

const maxFeedsPerQuery = 500

/** Appends to the history of the event's subjects. */
export async function addEvent(db: Db, event: NewEvent, now: Instant): Promise<void> {
  const subjects = { edition: null, article: null, subscriber: null, feed: null }
  await db
    .insertInto('events')
    .values({ ...subjects, ...event, id: newId(now), at: now, data: toJson(event.data) })
    .execute()
}

/** The history of an edition, the oldest first. */
export async function editionEvents(db: Db, edition: string): Promise<PastEvent[]> {
  const rows = db.selectFrom('events').selectAll().where('edition', '=', edition)
  return (await rows.orderBy('at').orderBy('id').execute()).map(toEvent)
}

/** The newest approval in the history of an edition, also if it was withdrawn. */
export async function newestApproval(db: Db, edition: string): Promise<PastEvent | undefined> {
  const rows = db.selectFrom('events').selectAll().where('edition', '=', edition).where('kind', '=', 'edition.approved')
  const newest = await rows.orderBy('at', 'desc').orderBy('id', 'desc').limit(1).executeTakeFirst()
  return newest && toEvent(newest)
}

/** Adds an event of a feed unless its newest event says the same. Returns whether it was added. */
export async function addFeedEventOnce(db: Db, event: NewEvent & { feed: string }, now: Instant): Promise<boolean> {
  const rows = db.selectFrom('events').select(['kind', 'actor', 'data']).where('feed', '=', event.feed)
  const newest = await rows.orderBy('id', 'desc').limit(1).executeTakeFirst()
  const isSame = newest?.kind === event.kind && newest.actor === event.actor && newest.data === toJson(event.data)
  if (!isSame) await addEvent(db, event, now)
  return !isSame
}

/** The history of every feed, the oldest event first. */
export async function feedEvents(db: Db): Promise<PastEvent[]> {
  return (await db.selectFrom('events').selectAll().where('feed', 'is not', null).orderBy('id').execute()).map(toEvent)
}

/** The newest events of each of these feeds, at most `perFeed`, the newest first. No older row is read. */
export async function newestFeedEvents(db: Db, feedIds: string[], perFeed: number): Promise<PastEvent[]> {
  const events: PastEvent[] = []
  for (let start = 0; start < feedIds.length; start += maxFeedsPerQuery) {
    const ids = feedIds.slice(start, start + maxFeedsPerQuery)
    const rows = await db
      .selectFrom('events')
      .selectAll()
      .where((eb) => eb.or(Array.from({ length: perFeed }, (_, place) => eb('id', 'in', eventsAt(db, ids, place)))))
      .orderBy('id', 'desc')
      .execute()
    events.push(...rows.map(toEvent))
  }
  return events
}

/** The event of each feed that comes after `place` newer ones: an index finds it. */
function eventsAt(db: Db, feedIds: string[], place: number) {
  return db
    .selectFrom('feeds')
    .select((eb) =>
      eb
        .selectFrom('events as entry')
        .select('entry.id')
        .whereRef('entry.feed', '=', 'feeds.id')
        .orderBy('entry.id', 'desc')
        .limit(1)
        .offset(place)
        .as('id'),
    )
    .where('feeds.id', 'in', feedIds)
}

/**
 * Deletes the events of each feed before `before`, and all except its newest `maxEvents`. Its newest `minEvents` stay at
 * any age, because they explain the current state of the feed.
 */
export async function pruneFeedEvents(
  db: Db,
  { maxEvents, minEvents, before }: { maxEvents: number; minEvents: number; before: Instant },
): Promise<void> {
  const rank = sql<number>`row_number() over (partition by feed order by id desc)`.as('rank')
  const ofFeeds = db.selectFrom('events').where('feed', 'is not', null)
  const ranked = ofFeeds.select(['id', 'at', rank]).as('ranked')
  const old = db
    .selectFrom(ranked)
    .select('id')
    .where((eb) => eb.or([eb('rank', '>', maxEvents), eb.and([eb('rank', '>', minEvents), eb('at', '<', before)])]))
  await db.deleteFrom('events').where('id', 'in', old).execute()
}

function toEvent({ data, ...row }: EventRow): PastEvent {
  return { ...row, data: fromJson(data) } as PastEvent
}
