import { runCooperatively } from '../runtime/cooperative.ts'
import { articlesOfFeeds } from '../store/articles/articles.ts'
import { titleKey } from '../store/articles/canonical-address.ts'
import { forgottenTitles } from '../store/articles/forgotten.ts'
import { lockDigest } from '../store/digests/digests.ts'
import { transaction } from '../store/drivers/transaction.ts'
import { newPublisherReason } from '../store/feeds/publishers.ts'
import {
  addToLedger,
  type FeedWithArticles,
  feedsWithNewArticles,
  knowsFeed,
  markBacklog,
  moveToBacklog,
} from '../store/ledger/ledger.ts'
import { hasStoriesToCompare, quarantineArticle, type StoryRow, storiesOfFeed } from '../store/ledger/stories.ts'
import type { Db } from '../store/schema.ts'
import { type Clock, type Instant, yieldToEventLoop } from '../time/clock.ts'
import { pendingAtFirstSight } from './choice/first-sight.ts'
import { olderThanFeed } from './choice/older-than-feed.ts'
import { type Digest, feedUrlsOf } from './digest.ts'
import { compareStoryBatch } from './stories/compare.ts'
import { findFlood, mayBeFlood } from './stories/flood.ts'

/**
 * Adds new articles of the digest's feeds to its ledger. Of a new feed, the newest are pending and the rest is backlog;
 * later, floods and the articles of another publisher are quarantined, what slid in from the feed's archive is backlog, and
 * duplicates become copies of their story.
 */
export async function addArticlesToLedger({ db, clock }: { db: Db; clock: Clock }, digest: Digest): Promise<void> {
  const now = clock.now()
  for (const feed of await feedsWithNewArticles(db, digest.name, feedUrlsOf(digest))) {
    await transaction(db, async (trx) => {
      await lockDigest(trx, digest.name, now)
      await addFeedToLedger(trx, digest, feed, now)
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

async function addFeedToLedger(db: Db, digest: Digest, feed: FeedWithArticles, now: Instant): Promise<void> {
  const { id, url } = feed
  const isKnownFeed = await knowsFeed(db, digest.name, id)
  const added = new Set(await addToLedger(db, digest.name, id, now))
  if (added.size === 0) return // another process added them
  for (const articleId of await quarantineNewPublisher(db, digest, feed, now)) added.delete(articleId)
  if (!isKnownFeed) {
    const articles = await articlesOfFeeds(db, [url])
    const ours = articles.filter((one) => added.has(one.id))
    const foreign = articles.filter((one) => !added.has(one.id)).map((one) => one.id)
    const pending = pendingAtFirstSight(ours, digest, now)
    await markBacklog(db, digest.name, id, [...pending, ...foreign], now)
    return
  }
  if (added.size === 0) return
  const stories = await storiesOfFeed(db, digest.name, id)
  const quarantined = mayBeFlood(added.size, digest.flood)
    ? await quarantineFloods(db, digest, { feedId: id, stories, added }, now)
    : new Set<string>()
  const fresh = stories.filter((story) => added.has(story.id) && !quarantined.has(story.id))
  const known = stories.filter((story) => !added.has(story.id))
  for (const [articleId, reason] of olderThanFeed(fresh, known))
    await moveToBacklog(db, digest.name, { articleId, reason, now })
}

/** Quarantines what the feed lists since it seems to have another publisher. Returns the ids. */
async function quarantineNewPublisher(db: Db, digest: Digest, feed: FeedWithArticles, now: Instant): Promise<string[]> {
  const reason = newPublisherReason(feed)
  const since = feed.newPublisherAt
  if (reason === null || since === null) return []
  const stories = (await storiesOfFeed(db, digest.name, feed.id)).filter(({ seenAt }) => seenAt >= since)
  for (const { id: articleId } of stories)
    await quarantineArticle(db, digest.name, { articleId, sameAs: null, reason, now })
  return stories.map(({ id }) => id)
}

/** Checks each refresh separately: its articles share one `seenAt`. Returns the ids of the quarantined articles. */
async function quarantineFloods(
  db: Db,
  digest: Digest,
  { feedId, stories, added }: { feedId: string; stories: StoryRow[]; added: Set<string> },
  now: Instant,
): Promise<Set<string>> {
  const quarantined = new Set<string>()
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
      quarantined.add(articleId)
    }
  }
  return quarantined
}
