import type { Fetched } from '../http/fetched.ts'
import { isOffSite } from '../http/url.ts'
import type { Log } from '../log.ts'
import { saveArticles } from '../store/articles/articles.ts'
import { arrivals, type FeedSuccess, firstArticleSeenAt, recordSuccess } from '../store/feeds/feed-polls.ts'
import { feedById, lockFeed } from '../store/feeds/feeds.ts'
import { saveRejections } from '../store/feeds/rejections.ts'
import type { Db, FeedRow } from '../store/schema.ts'
import type { Clock } from '../time/clock.ts'
import { currentUrl, urlAfterMove } from './feed-address.ts'
import type { ParsedFeed } from './parse/feed.ts'
import { nextPollAfterSuccess } from './poll-schedule.ts'
import { checkPublisher, currentVerdict, type PublisherVerdict } from './publisher.ts'
import { maxArrivals, type PublishingRate, publishingRate } from './publishing-rate.ts'

type Needs = { db: Db; clock: Clock; log: Log }

export type SuccessfulFetch = Exclude<Fetched, { kind: 'failed' }>

/** `parsed`: null if the server answered that nothing has changed. `bodies`: the articles have their full text. */
export type FeedRead = { fetched: SuccessfulFetch; parsed: ParsedFeed | null; bodies: boolean }

/** Saves articles, publishing rate and next fetch in one transaction. Returns how many articles were new. */
export async function saveRead(needs: Needs, { id }: FeedRow, read: FeedRead): Promise<number> {
  return await needs.db.transaction().execute(async (trx) => {
    await lockFeed(trx, id)
    const feed = await feedById(trx, id) // an editor may have decided about it during the fetch
    const { fetched, parsed } = read
    const now = needs.clock.now()
    const verdict = parsed
      ? await checkPublisher({ ...needs, db: trx }, feed, { parsed, movedTo: fetched.movedTo }, now)
      : currentVerdict(feed)
    const added = parsed ? await saveEntries(trx, feed, parsed, verdict, now) : 0
    const moved = verdict === 'ours' ? await urlAfterMove({ ...needs, db: trx }, feed, fetched.movedTo) : {}
    await recordSuccess(
      trx,
      id,
      { ...(await pollFacts(trx, feed, read, now)), ...ownFacts(read, verdict, now), ...moved },
      now,
    )
    return added
  })
}

/** Of a refused publisher no article is saved. */
async function saveEntries(
  db: Db,
  feed: FeedRow,
  { articles, rejected, siteUrl }: ParsedFeed,
  verdict: PublisherVerdict,
  now: string,
): Promise<number> {
  if (verdict === 'refused') {
    const refused = articles.map(({ title, url, identity }) => ({
      reason: { code: 'feed-not-ours' as const },
      title,
      link: url,
      guid: identity,
    }))
    await saveRejections(db, feed.id, refused, now)
    return 0
  }
  const isOffSiteUrl = (url: string) => isOffSite(url, siteUrl ?? currentUrl(feed))
  const added = await saveArticles(db, feed.id, articles, now, isOffSiteUrl)
  await saveRejections(db, feed.id, rejected, now)
  return added
}

/** What the feed says of itself, unless another publisher says it. A feed without articles changes nothing that it has. */
function ownFacts({ parsed, bodies }: FeedRead, verdict: PublisherVerdict, now: string): Partial<FeedSuccess> {
  if (!parsed) return {}
  const facts = { rejected: parsed.rejected.length, bodiesAt: bodies ? now : null }
  return verdict === 'ours' ? { ...facts, title: parsed.title, siteUrl: parsed.siteUrl } : facts
}

async function pollFacts(db: Db, feed: FeedRow, { fetched, parsed }: FeedRead, now: string): Promise<FeedSuccess> {
  const { gapSeconds: gap, ...pace } = await loadPublishingRate(db, feed, now)
  const ttl = parsed ? (parsed.ttl ?? null) : feed.ttl
  const { etag, lastModified } = validatorsOf(feed, fetched, parsed)
  const hints = { feedId: feed.id, gapSeconds: gap, maxAgeSeconds: fetched.maxAge, ttlSeconds: ttl }
  return { ...pace, etag, lastModified, ttl, nextFetchAt: nextPollAfterSuccess(hints, now) }
}

/** None for a document that is cut off: its server must send the whole document next time, and not answer 304. */
function validatorsOf(feed: FeedRow, fetched: SuccessfulFetch, parsed: ParsedFeed | null) {
  if (parsed?.isPartial) return { etag: null, lastModified: null }
  return fetched.kind === 'ok' ? fetched : feed
}

async function loadPublishingRate(db: Db, feed: FeedRow, now: string): Promise<PublishingRate> {
  return publishingRate(await arrivals(db, feed.id, maxArrivals), await firstArticleSeenAt(db, feed.id), feed, now)
}
