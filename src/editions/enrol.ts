import { type Clock, day, type Instant, later } from '../clock.ts'
import { lockDigest } from '../store/digests.ts'
import { knowFeeds } from '../store/feeds.ts'
import { enrol, hasMet, markBacklog } from '../store/ledger.ts'
import type { Db } from '../store/schema.ts'
import { holdArticle, linkStory, type StoryRow, storiesOfFeed, storiesToCompare } from '../store/stories.ts'
import { transaction } from '../store/transaction.ts'
import { type Digest, feedsListed } from './digest.ts'
import { type Story, sameStories } from './same.ts'
import { stormOf } from './storm.ts'

const memory = 28 * day

/**
 * Takes the articles of the digest's feeds into its ledger. On the first sight of a feed all but its newest, as many
 * as the section holds, are backlog: a feed that is added does not mail its archive. Later, what looks like the
 * archive under new guids waits for an editor, and what tells a known story is linked to it.
 */
export async function enrolArticles({ db, clock }: { db: Db; clock: Clock }, digest: Digest): Promise<void> {
  const now = clock.now()
  const rooms = roomOfFeeds(digest)
  const feeds = await knowFeeds(db, [...rooms.keys()], now)
  await transaction(db, async (trx) => {
    await lockDigest(trx, digest.name, now)
    for (const feed of feeds) {
      const met = await hasMet(trx, digest.name, feed.id)
      const added = await enrol(trx, digest.name, feed.id, now)
      if (added.length === 0) continue
      if (met) await holdStorms(trx, digest, feed.id, new Set(added), now)
      else await markBacklog(trx, digest.name, feed.id, rooms.get(feed.url) ?? 0, now)
    }
    await linkSame(trx, digest, now)
  })
}

/** The same for every digest, so that what waits for an editor is seen before an edition is due. */
export async function enrolAll(needs: { db: Db; clock: Clock; digests: Digest[] }): Promise<void> {
  for (const digest of needs.digests) await enrolArticles(needs, digest)
}

/** Looks at what each refresh brought by itself: its articles were first seen at the same instant. */
async function holdStorms(db: Db, digest: Digest, feedId: string, added: Set<string>, now: Instant): Promise<void> {
  const stories = (await storiesOfFeed(db, digest.name, feedId)).map(toStory)
  const fresh = stories.filter(({ id }) => added.has(id))
  for (const [seenAt, batch] of [...Map.groupBy(fresh, (story) => story.seenAt)].sort()) {
    const known = stories.filter((story) => story.seenAt < seenAt)
    const storm = stormOf(batch, known, digest.storm)
    for (const [articleId, sameAs] of storm?.held ?? [])
      await holdArticle(db, digest.name, { articleId, sameAs, reason: storm?.reason ?? '', now })
  }
}

async function linkSame(db: Db, digest: Digest, now: Instant): Promise<void> {
  const feeds = feedsListed(digest)
  const rows = await storiesToCompare(db, digest.name, later(now, -memory))
  const stories = rows.map(toStory).filter((story) => story.settled || feeds.includes(story.feedUrl))
  const before = new Map(stories.map((story) => [story.id, story.sameAs]))
  for (const [id, sameAs] of sameStories(stories, feeds)) {
    if (before.get(id) !== sameAs) await linkStory(db, digest.name, id, sameAs)
  }
}

function toStory({ editionId, backlogAt, ownAt, heldAt: _, ...story }: StoryRow): Story {
  return { ...story, settled: editionId !== null || backlogAt !== null, own: ownAt !== null }
}

/** The addresses of all feeds of the digest, each with the maximum of the first section that lists it. */
export function roomOfFeeds(digest: Digest): Map<string, number> {
  const rooms = new Map<string, number>()
  for (const section of digest.sections) {
    for (const url of section.feeds) if (!rooms.has(url)) rooms.set(url, section.maximum)
  }
  for (const { backfill, maximum } of digest.sections)
    if (backfill !== undefined && !rooms.has(backfill)) rooms.set(backfill, maximum)
  return rooms
}
