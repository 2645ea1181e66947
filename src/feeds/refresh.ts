import { messageOf } from '../errors.ts'
import type { Fetcher } from '../http/fetcher.ts'
import { forEachPerHost } from '../http/per-host.ts'
import { openSemaphore, type Semaphore } from '../http/semaphore.ts'
import { hostOf } from '../http/url.ts'
import type { Log } from '../log.ts'
import { isStoreUnavailable } from '../store/drivers/failure.ts'
import { addFeedEventOnce } from '../store/events/events.ts'
import type { Reason } from '../store/events/reason.ts'
import { claimDueFeed, clearFeedMove, isFeedDue } from '../store/feeds/feed-polls.ts'
import { ensureFeeds } from '../store/feeds/feeds.ts'
import type { Db, FeedRow } from '../store/schema.ts'
import type { Clock } from '../time/clock.ts'
import { currentUrl, moveUndone } from './feed-address.ts'
import { parseFeed } from './parse/parse-feed.ts'
import { warmUpReaders } from './parse/reader-pool.ts'
import { fetchFailure, recordFeedFailure } from './record-failure.ts'
import { type SuccessfulFetch, saveRead } from './save-read.ts'

export type RefreshNeeds = {
  db: Db
  fetcher: Fetcher
  clock: Clock
  log: Log
  /** Addresses of the feeds whose articles are saved with their full text. */
  wholeFeeds?: ReadonlySet<string>
}

/** `articles` in the feed, `added` of them new, and `rejected` entries. */
export type RefreshResult =
  | { url: string; kind: 'read'; articles: number; added: number; rejected: number }
  | { url: string; kind: 'unchanged' }
  | { url: string; kind: 'failed'; reason: Reason }

const maxParallel = 64
const maxPerHost = 2
/** Feeds that are parsed and saved at once: two in the workers, two in the store. */
const maxProcessing = 4
/** Fetched feeds that may wait to be parsed; at this limit no other feed is fetched. */
const maxPrefetched = 8
/** Feeds that are read from the store at once. */
const batchSize = 200

/** Fetches the feeds at these addresses now and saves new articles. A failure is recorded and stops no other feed. */
export async function refreshFeeds(needs: RefreshNeeds, urls: string[]): Promise<RefreshResult[]> {
  const report: RefreshResult[] = []
  const runLimited = openSemaphore(maxProcessing, maxPrefetched)
  await forEachFeed(needs, urls, async (feed) => {
    report.push(await refreshOrFail(needs, feed, runLimited))
  })
  return report.toSorted((a, b) => (a.url < b.url ? -1 : 1))
}

/** Fetches the feeds that are due, each by one process only. Returns how many it fetched. */
export async function refreshDueFeeds(needs: RefreshNeeds, urls: string[], signal?: AbortSignal): Promise<number> {
  let fetched = 0
  const runLimited = openSemaphore(maxProcessing, maxPrefetched)
  await forEachFeed(needs, urls, async (feed) => {
    if (signal?.aborted || !isFeedDue(feed, needs.clock.now())) return
    if (!(await claimDueFeed(needs.db, feed.id, needs.clock.now()))) return
    fetched++
    await refreshOrFail(needs, feed, runLimited)
  })
  return fetched
}

function forEachFeed(needs: RefreshNeeds, urls: string[], work: (feed: FeedRow) => Promise<void>): Promise<void> {
  warmUpReaders()
  const hostFor = (feed: FeedRow) => hostOf(currentUrl(feed))
  return forEachPerHost(loadFeeds(needs, [...new Set(urls)]), { maxParallel, maxPerHost, hostFor }, work)
}

async function* loadFeeds({ db, clock }: RefreshNeeds, urls: string[]): AsyncGenerator<FeedRow> {
  for (let start = 0; start < urls.length; start += batchSize)
    yield* await ensureFeeds(db, urls.slice(start, start + batchSize), clock.now())
}

/** Records a feed's failure without throwing, so that the other feeds continue; throws if the store is unavailable. */
async function refreshOrFail(needs: RefreshNeeds, feed: FeedRow, runLimited: Semaphore): Promise<RefreshResult> {
  try {
    if (feed.goneAt !== null)
      return { url: feed.url, kind: 'failed', reason: { code: 'feed-gone', since: feed.goneAt } }
    return await refreshFeed(needs, feed, runLimited)
  } catch (error) {
    if (isStoreUnavailable(error)) throw error // not the feed's fault: it is fetched again when due
    const reason: Reason = { code: 'feed-not-saved', message: messageOf(error) }
    return await recordFeedFailure(needs, feed, { reason }).catch((again) => {
      const fields = { event: 'feed.not_stored', feed: feed.url, err: again }
      needs.log.error(fields, 'a feed could not be read, and the failure could not be stored')
      return { url: feed.url, kind: 'failed', reason }
    })
  }
}

async function refreshFeed(needs: RefreshNeeds, feed: FeedRow, runLimited: Semaphore): Promise<RefreshResult> {
  const { etag, lastModified } = feed
  // Unconditional if the full texts are needed now and were not saved before.
  const known = wantsBodies(needs, feed) && feed.bodiesAt === null ? {} : { etag, lastModified }
  const refreshed = await runLimited(
    () => needs.fetcher.get(currentUrl(feed), known),
    async (fetched) => {
      if (fetched.kind !== 'failed') return await parseAndSave(needs, feed, fetched)
      return fetched.status === 410 && feed.address !== null
        ? null
        : await recordFeedFailure(needs, feed, fetchFailure(fetched))
    },
  )
  return refreshed ?? (await refreshFeed(needs, await resetToOriginalUrl(needs, feed), runLimited))
}

/** The new address is gone; the original one may still work. */
async function resetToOriginalUrl({ db, clock }: RefreshNeeds, feed: FeedRow): Promise<FeedRow> {
  await addFeedEventOnce(db, moveUndone(feed, 'gone'), clock.now())
  await clearFeedMove(db, feed.id)
  return { ...feed, address: null, etag: null, lastModified: null }
}

async function parseAndSave(needs: RefreshNeeds, feed: FeedRow, fetched: SuccessfulFetch): Promise<RefreshResult> {
  const { url } = feed
  const bodies = wantsBodies(needs, feed)
  if (fetched.kind === 'unchanged') {
    await saveRead(needs, feed, { fetched, parsed: null, bodies })
    return { url, kind: 'unchanged' }
  }
  const parsed = await parseFeed(fetched.bytes, {
    url: fetched.url,
    contentType: fetched.contentType,
    needsBodies: bodies,
    now: needs.clock.now(),
  })
  if ('failed' in parsed)
    return await recordFeedFailure(needs, feed, { reason: { code: 'feed-unreadable', message: parsed.failed } })
  const added = await saveRead(needs, feed, { fetched, parsed, bodies })
  return { url, kind: 'read', articles: parsed.articles.length, added, rejected: parsed.rejected.length }
}

function wantsBodies({ wholeFeeds }: RefreshNeeds, { url }: FeedRow): boolean {
  return wholeFeeds?.has(url) ?? false
}
