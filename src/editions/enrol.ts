import { type Clock, type Instant, letOthersWork } from '../clock.ts'
import { runInTurns } from '../cooperative.ts'
import { articlesOfFeeds } from '../store/articles.ts'
import { titleKey } from '../store/canonical.ts'
import { lockDigest } from '../store/digests.ts'
import { titlesForgotten } from '../store/forgotten.ts'
import { enrol, feedsWithNews, hasMet, markBacklog } from '../store/ledger.ts'
import type { Db } from '../store/schema.ts'
import { hasStoriesToCompare, holdArticle, storiesOfFeed } from '../store/stories.ts'
import { transaction } from '../store/transaction.ts'
import { compareSomeStories } from './compare.ts'
import { type Digest, feedsListed } from './digest.ts'
import { pendingAtFirstSight } from './first-sight.ts'
import { findStorm, mayBeStorm } from './storm.ts'

/**
 * Takes the articles of the digest's feeds into its ledger. On the first sight of a feed its newest are
 * pending, as many as the sections hold, and the rest is backlog. Later, what looks like the
 * archive under new guids waits for an editor, and what tells a known story becomes a copy of it. Where nothing is new,
 * nothing is written.
 */
export async function enrolArticles({ db, clock }: { db: Db; clock: Clock }, digest: Digest): Promise<void> {
  const now = clock.now()
  for (const { id, url } of await feedsWithNews(db, digest.name, feedsListed(digest))) {
    await transaction(db, async (trx) => {
      await lockDigest(trx, digest.name, now)
      await enrolFeed(trx, digest, { id, url }, now)
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

async function enrolFeed(
  db: Db,
  digest: Digest,
  { id, url }: { id: string; url: string },
  now: Instant,
): Promise<void> {
  const met = await hasMet(db, digest.name, id)
  const added = await enrol(db, digest.name, id, now)
  if (added.length === 0) return // another process took them in
  if (!met) {
    const pending = pendingAtFirstSight(await articlesOfFeeds(db, [url]), digest, now)
    await markBacklog(db, digest.name, id, [...pending], now)
  }
  if (met && mayBeStorm(added.length, digest.storm)) await holdStorms(db, digest, id, new Set(added), now)
}

/** Looks at what each refresh brought by itself: its articles were first seen at the same instant. */
async function holdStorms(db: Db, digest: Digest, feedId: string, added: Set<string>, now: Instant): Promise<void> {
  const stories = await storiesOfFeed(db, digest.name, feedId)
  const roots = new Map(stories.map(({ id, sameAs }) => [id, sameAs ?? id]))
  const fresh = stories.filter(({ id }) => added.has(id))
  for (const [seenAt, batch] of [...Map.groupBy(fresh, (story) => story.seenAt)].sort()) {
    await letOthersWork()
    const known = stories.filter((story) => story.seenAt < seenAt)
    const titles = await titlesForgotten(db, feedId, [...new Set(batch.map(({ title }) => titleKey(title)))])
    const storm = await runInTurns(findStorm(batch, known, digest.storm, titles))
    for (const [articleId, match] of storm?.held ?? []) {
      const sameAs = match === null ? null : (roots.get(match) ?? match)
      await holdArticle(db, digest.name, { articleId, sameAs, reason: storm?.reason ?? '', now })
    }
  }
}
