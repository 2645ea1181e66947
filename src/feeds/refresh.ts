import { maxLength } from '../config/field-limits.ts'
import { describeReason } from '../describe/describe.ts'
import { messageOf } from '../errors.ts'
import type { Fetched } from '../http/fetched.ts'
import type { Fetcher } from '../http/fetcher.ts'
import { forEachPerHost } from '../http/per-host.ts'
import { openSemaphore, type Semaphore } from '../http/semaphore.ts'
import { hostOf, isOffSite } from '../http/url.ts'
import type { Log } from '../log.ts'
import { saveArticles } from '../store/articles/articles.ts'
import { isStoreUnavailable } from '../store/drivers/failure.ts'
import { addFeedEventOnce } from '../store/events/events.ts'
import type { Reason } from '../store/events/reason.ts'
import {
  arrivals,
  claimDueFeed,
  clearFeedMove,
  type FeedFailure,
  firstArticleSeenAt,
  isFeedDue,
  recordFailure,
  recordSuccess,
} from '../store/feeds/feed-polls.ts'
import { ensureFeeds, isOtherFeedAddress } from '../store/feeds/feeds.ts'
import { saveRejections } from '../store/feeds/rejections.ts'
import type { Db, FeedRow } from '../store/schema.ts'
import type { Clock } from '../time/clock.ts'
import type { ParsedFeed } from './parse/feed.ts'
import { parseFeed } from './parse/parse-feed.ts'
import { warmUpReaders } from './parse/reader-pool.ts'
import { nextPollAfterFailure, nextPollAfterSuccess } from './poll-schedule.ts'
import { maxArrivals, type PublishingRate, publishingRate } from './publishing-rate.ts'

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
/** After this number of failures in a row, a moved feed is fetched at its original address again. */
const maxFailuresAfterMove = 3

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

/** The address after a permanent redirect, else the one in the job files. */
export function currentUrl({ address, url }: Pick<FeedRow, 'address' | 'url'>): string {
  return address ?? url
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
    await saveFetched(needs, feed, fetched, null)
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
  const added = await saveFetched(needs, feed, fetched, parsed)
  return { url, kind: 'read', articles: parsed.articles.length, added, rejected: parsed.rejected.length }
}

function wantsBodies({ wholeFeeds }: RefreshNeeds, { url }: FeedRow): boolean {
  return wholeFeeds?.has(url) ?? false
}

type SuccessfulFetch = Exclude<Fetched, { kind: 'failed' }>
type FailedFetch = Extract<Fetched, { kind: 'failed' }>

/** Saves articles, publishing rate and next fetch in one transaction. Returns how many articles were new. */
async function saveFetched(
  needs: RefreshNeeds,
  feed: FeedRow,
  fetched: SuccessfulFetch,
  parsed: ParsedFeed | null,
): Promise<number> {
  const { clock } = needs
  return await needs.db.transaction().execute(async (trx) => {
    const now = clock.now()
    const isOffSiteUrl = (url: string) => isOffSite(url, parsed?.siteUrl ?? currentUrl(feed))
    const added = parsed ? await saveArticles(trx, feed.id, parsed.articles, now, isOffSiteUrl) : 0
    if (parsed) await saveRejections(trx, feed.id, parsed.rejected, now)
    const { gapSeconds: gap, ...pace } = await loadPublishingRate(trx, feed, now)
    const ttl = parsed ? (parsed.ttl ?? null) : feed.ttl
    const { etag, lastModified } = fetched.kind === 'ok' ? fetched : feed
    await recordSuccess(
      trx,
      feed.id,
      {
        ...(parsed && {
          title: parsed.title,
          siteUrl: parsed.siteUrl,
          rejected: parsed.rejected.length,
          bodiesAt: wantsBodies(needs, feed) ? now : null,
        }),
        ...pace,
        ...(await urlAfterMove({ ...needs, db: trx }, feed, fetched.movedTo)),
        etag,
        lastModified,
        ttl,
        nextFetchAt: nextPollAfterSuccess(
          { feedId: feed.id, gapSeconds: gap, maxAgeSeconds: fetched.maxAge, ttlSeconds: ttl },
          now,
        ),
      },
      now,
    )
    return added
  })
}

async function loadPublishingRate(db: Db, feed: FeedRow, now: string): Promise<PublishingRate> {
  return publishingRate(await arrivals(db, feed.id, maxArrivals), await firstArticleSeenAt(db, feed.id), feed, now)
}

/**
 * The new address of a feed after a permanent redirect; the job files keep the original one. An address that is too long
 * to save is followed at each fetch.
 */
async function urlAfterMove({ db, clock, log }: RefreshNeeds, feed: FeedRow, movedTo: string | null) {
  if (movedTo === null || movedTo === currentUrl(feed) || movedTo.length > maxLength.address) return {}
  const about = { actor: 'system' as const, feed: feed.id }
  if (await isOtherFeedAddress(db, feed.id, movedTo)) {
    const data = { to: movedTo, url: currentUrl(feed) }
    if (await addFeedEventOnce(db, { kind: 'feed.move_ignored', ...about, data }, clock.now()))
      log.warn({ event: 'feed.move_ignored', feed: feed.url, movedTo }, 'feed moved to the address of another feed')
    return {}
  }
  const data = { from: currentUrl(feed), to: movedTo }
  await addFeedEventOnce(db, { kind: 'feed.moved', ...about, data }, clock.now())
  log.warn(
    { event: 'feed.moved', feed: feed.url, from: currentUrl(feed), to: movedTo },
    'feed moved permanently: it is fetched at its new address',
  )
  return { address: movedTo === feed.url ? null : movedTo }
}

function moveUndone({ id, address, url }: FeedRow, why: 'gone' | 'failing') {
  const data = { from: address ?? url, to: url, why }
  return { kind: 'feed.move_undone' as const, actor: 'system' as const, feed: id, data }
}

type FailureDetails = { reason: Reason; retryAfterSeconds?: number | null }

function fetchFailure({ reason: message, status, retryAfterSeconds }: FailedFetch): FailureDetails {
  const reason: Reason =
    status === null ? { code: 'feed-unreachable', message } : { code: 'feed-status', status, message }
  return { reason, retryAfterSeconds }
}

async function recordFeedFailure(
  needs: RefreshNeeds,
  feed: FeedRow,
  { reason, retryAfterSeconds: retryAfter = null }: FailureDetails,
): Promise<RefreshResult> {
  const { db, clock, log } = needs
  const now = clock.now()
  const failures = feed.failures + 1
  const failure: FeedFailure = { nextFetchAt: nextPollAfterFailure({ feedId: feed.id, failures, retryAfter }, now) }
  if (reason.code === 'feed-status' && reason.status === 410) {
    failure.goneAt = now
    const gone = { kind: 'feed.gone' as const, data: { status: reason.status } }
    await addFeedEventOnce(db, { ...gone, actor: 'system', feed: feed.id }, now)
  } else if (feed.address !== null && failures >= maxFailuresAfterMove) {
    Object.assign(failure, { address: null, etag: null, lastModified: null })
    await addFeedEventOnce(db, moveUndone(feed, 'failing'), now)
  }
  await recordFailure(db, feed.id, reason, now, failure)
  const next = failure.goneAt ? null : failure.nextFetchAt
  log.warn({ event: 'feed.failed', feed: feed.url, reason: describeReason(reason), failures, next }, 'feed failed')
  return { url: feed.url, kind: 'failed', reason }
}
