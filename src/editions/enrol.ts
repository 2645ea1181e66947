import { type Clock, type Instant, letOthersWork } from '../clock.ts'
import { runInTurns } from '../cooperative.ts'
import { lockDigest } from '../store/digests.ts'
import { enrol, feedsWithNews, hasMet, markBacklog } from '../store/ledger.ts'
import type { Db } from '../store/schema.ts'
import { hasStoriesToCompare, holdArticle, storiesOfFeed } from '../store/stories.ts'
import { transaction } from '../store/transaction.ts'
import { compareSomeStories } from './compare.ts'
import type { Digest } from './digest.ts'
import { findStorm, mayBeStorm } from './storm.ts'

/**
 * Takes the articles of the digest's feeds into its ledger. On the first sight of a feed all but its newest, as many
 * as the section holds, are backlog: a feed that is added does not mail its archive. Later, what looks like the
 * archive under new guids waits for an editor, and what tells a known story becomes a copy of it. Where nothing is new,
 * nothing is written.
 */
export async function enrolArticles({ db, clock }: { db: Db; clock: Clock }, digest: Digest): Promise<void> {
  const now = clock.now()
  const rooms = roomOfFeeds(digest)
  for (const { id, url } of await feedsWithNews(db, digest.name, [...rooms.keys()])) {
    await transaction(db, async (trx) => {
      await lockDigest(trx, digest.name, now)
      await enrolFeed(trx, digest, { id, room: rooms.get(url) ?? 0 }, now)
    })
    await letOthersWork()
  }
  let hasMore = await hasStoriesToCompare(db, digest.name)
  while (hasMore) {
    hasMore = await transaction(db, async (trx) => {
      await lockDigest(trx, digest.name, now)
      return await compareSomeStories(trx, digest.name, now)
    })
    await letOthersWork() // between two transactions: those who send write too
  }
}

/** The same for every digest, so that what waits for an editor is seen before an edition is due. */
export async function enrolAll(needs: { db: Db; clock: Clock; digests: Digest[] }): Promise<void> {
  for (const digest of needs.digests) await enrolArticles(needs, digest)
}

type MetFeed = { id: string /** How many of its articles are pending at first sight. */; room: number }

async function enrolFeed(db: Db, digest: Digest, { id, room }: MetFeed, now: Instant): Promise<void> {
  const met = await hasMet(db, digest.name, id)
  const added = await enrol(db, digest.name, id, now)
  if (added.length === 0) return // another process took them in
  if (!met) await markBacklog(db, digest.name, id, room, now)
  else if (mayBeStorm(added.length, digest.storm)) await holdStorms(db, digest, id, new Set(added), now)
}

/** Looks at what each refresh brought by itself: its articles were first seen at the same instant. */
async function holdStorms(db: Db, digest: Digest, feedId: string, added: Set<string>, now: Instant): Promise<void> {
  const stories = await storiesOfFeed(db, digest.name, feedId)
  const roots = new Map(stories.map(({ id, sameAs }) => [id, sameAs ?? id]))
  const fresh = stories.filter(({ id }) => added.has(id))
  for (const [seenAt, batch] of [...Map.groupBy(fresh, (story) => story.seenAt)].sort()) {
    await letOthersWork()
    const known = stories.filter((story) => story.seenAt < seenAt)
    const storm = await runInTurns(findStorm(batch, known, digest.storm))
    for (const [articleId, match] of storm?.held ?? []) {
      const sameAs = match === null ? null : (roots.get(match) ?? match)
      await holdArticle(db, digest.name, { articleId, sameAs, reason: storm?.reason ?? '', now })
    }
  }
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
