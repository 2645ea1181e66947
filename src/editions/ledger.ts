import { runCooperatively } from '../runtime/cooperative.ts'
import { articlesOfFeeds } from '../store/articles/articles.ts'
import { titleKey } from '../store/articles/canonical-address.ts'
import { forgottenTitles } from '../store/articles/forgotten.ts'
import { lockDigest } from '../store/digests/digests.ts'
import { transaction } from '../store/drivers/transaction.ts'
import { addToLedger, feedsWithNewArticles, knowsFeed, markBacklog } from '../store/ledger/ledger.ts'
import { hasStoriesToCompare, quarantineArticle, storiesOfFeed } from '../store/ledger/stories.ts'
import type { Db } from '../store/schema.ts'
import { type Clock, type Instant, yieldToEventLoop } from '../time/clock.ts'
import { pendingAtFirstSight } from './choice/first-sight.ts'
import { type Digest, feedUrlsOf } from './digest.ts'
import { compareStoryBatch } from './stories/compare.ts'
import { findFlood, mayBeFlood } from './stories/flood.ts'

/**
 * Adds new articles of the digest's feeds to its ledger. Of a new feed, the newest are pending and the rest is backlog;
 * later, floods are quarantined and duplicates become copies of their story.
 */
export async function addArticlesToLedger({ db, clock }: { db: Db; clock: Clock }, digest: Digest): Promise<void> {
  const now = clock.now()
  for (const { id, url } of await feedsWithNewArticles(db, digest.name, feedUrlsOf(digest))) {
    await transaction(db, async (trx) => {
      await lockDigest(trx, digest.name, now)
      await addFeedToLedger(trx, digest, { id, url }, now)
    })
    await yieldToEventLoop()
  }
  let hasMore = await hasStoriesToCompare(db, digest.name)
  while (hasMore) {
    hasMore = await transaction(db, async (trx) => {
      await lockDigest(trx, digest.name, now)
      return await compareStoryBatch(trx, digest.name, now)
    })
    await yieldToEventLoop() // lets senders write between two transactions
  }
}

/** Adds articles for every digest, so that editors see quarantined articles before an edition is due. */
export async function addAllToLedger(needs: { db: Db; clock: Clock; digests: Digest[] }): Promise<void> {
  for (const digest of needs.digests) await addArticlesToLedger(needs, digest)
}

async function addFeedToLedger(
  db: Db,
  digest: Digest,
  { id, url }: { id: string; url: string },
  now: Instant,
): Promise<void> {
  const isKnownFeed = await knowsFeed(db, digest.name, id)
  const added = await addToLedger(db, digest.name, id, now)
  if (added.length === 0) return // another process added them
  if (!isKnownFeed) {
    const pending = pendingAtFirstSight(await articlesOfFeeds(db, [url]), digest, now)
    await markBacklog(db, digest.name, id, [...pending], now)
  }
  if (isKnownFeed && mayBeFlood(added.length, digest.flood)) await quarantineFloods(db, digest, id, new Set(added), now)
}

/** Checks each refresh separately: its articles share one `seenAt`. */
async function quarantineFloods(
  db: Db,
  digest: Digest,
  feedId: string,
  added: Set<string>,
  now: Instant,
): Promise<void> {
  const stories = await storiesOfFeed(db, digest.name, feedId)
  const roots = new Map(stories.map(({ id, sameAs }) => [id, sameAs ?? id]))
  const fresh = stories.filter(({ id }) => added.has(id))
  for (const [seenAt, batch] of [...Map.groupBy(fresh, (story) => story.seenAt)].sort()) {
    await yieldToEventLoop()
    const known = stories.filter((story) => story.seenAt < seenAt)
    const titles = await forgottenTitles(db, feedId, [...new Set(batch.map(({ title }) => titleKey(title)))])
    const flood = await runCooperatively(findFlood(batch, known, digest.flood, titles))
    if (flood === null) continue
    for (const [articleId, match] of flood.quarantined) {
      const sameAs = match === null ? null : (roots.get(match) ?? match)
      await quarantineArticle(db, digest.name, { articleId, sameAs, reason: flood.reason, now })
    }
  }
}
