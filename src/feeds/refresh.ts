import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { keepArticles } from '../store/articles.ts'
import { isStoreAway } from '../store/failure.ts'
import {
  arrivals,
  claimDueFeed,
  type FeedFailure,
  firstSeen,
  forgetMove,
  isAnothersAddress,
  isFeedDue,
  knowFeeds,
  noteFeed,
  recordFailure,
  recordSuccess,
} from '../store/feeds.ts'
import { keepRejections } from '../store/rejections.ts'
import type { Db, FeedRow } from '../store/schema.ts'
import type { ParsedFeed } from './feed.ts'
import type { Fetched, Fetcher } from './fetch.ts'
import { followAddresses, standsElsewhere } from './follow.ts'
import { inLanes } from './lanes.ts'
import { longest } from './longest.ts'
import { type Pace, paceOf, window } from './pace.ts'
import { parseFeed } from './parse.ts'
import { afterFailure, afterSuccess } from './poll.ts'
import { warmUpReaders } from './pool.ts'
import { type InTurn, openTurns } from './turns.ts'

export type RefreshNeeds = {
  db: Db
  fetcher: Fetcher
  clock: Clock
  log: Log
  /** Feeds, as the job files name them, whose articles are wanted with their whole text. */
  wholeFeeds?: ReadonlySet<string>
}

/** What became of one feed: `articles` it showed, how many of them were new, entries that could not be articles. */
export type Refreshed =
  | { url: string; kind: 'read'; articles: number; added: number; rejected: number }
  | { url: string; kind: 'unchanged' }
  | { url: string; kind: 'failed'; reason: string }

const atOnce = 64
/** Of one host. */
const politely = 2
/** Feeds that are parsed and kept at once: two in the workers, and two that are being written. */
const atWork = 4
/** So many may wait for that before another is asked: slow hosts are asked 64 at once, quick ones as fast as we read. */
const fetchedAhead = 8
/** Read from the store at once. */
const batch = 200
/** So many failures in a row, and a feed that moved is asked at its first address again. */
const patienceWithMove = 3

/**
 * Asks the feeds at these addresses now for what is new and keeps it, and then where the addresses of other hosts in it
 * lead. A feed that fails is recorded and stops no other.
 */
export async function refreshFeeds(needs: RefreshNeeds, urls: string[]): Promise<Refreshed[]> {
  const report: Refreshed[] = []
  const inTurn = openTurns(atWork, fetchedAhead)
  await visit(needs, urls, async (feed) => {
    report.push(await refreshOrFail(needs, feed, inTurn))
  })
  await followAddresses(needs)
  return report.toSorted((a, b) => (a.url < b.url ? -1 : 1))
}

/** Asks those of the feeds that are due. Returns how many that were; two processes do not ask the same one. */
export async function refreshDueFeeds(needs: RefreshNeeds, urls: string[], signal?: AbortSignal): Promise<number> {
  let asked = 0
  const inTurn = openTurns(atWork, fetchedAhead)
  await visit(needs, urls, async (feed) => {
    if (signal?.aborted || !isFeedDue(feed, needs.clock.now())) return
    if (!(await claimDueFeed(needs.db, feed.id, needs.clock.now()))) return
    asked++
    await refreshOrFail(needs, feed, inTurn)
  })
  if (!signal?.aborted) await followAddresses(needs, signal)
  return asked
}

/** The feeds are read a few at a time, and no host is asked for more than two at once. */
function visit(needs: RefreshNeeds, urls: string[], work: (feed: FeedRow) => Promise<void>): Promise<void> {
  warmUpReaders()
  const laneOf = (feed: FeedRow) => hostOf(addressOf(feed))
  return inLanes(feedsAt(needs, [...new Set(urls)]), { atOnce, perLane: politely, laneOf }, work)
}

async function* feedsAt({ db, clock }: RefreshNeeds, urls: string[]): AsyncGenerator<FeedRow> {
  for (let start = 0; start < urls.length; start += batch)
    yield* await knowFeeds(db, urls.slice(start, start + batch), clock.now())
}

/** Where the feed is asked: at the address it moved to, else where the job files say. */
export function addressOf({ address, url }: Pick<FeedRow, 'address' | 'url'>): string {
  return address ?? url
}

function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).hostname : address
}

/** Whatever is in a feed, or happens to one, stops no other. */
async function refreshOrFail(needs: RefreshNeeds, feed: FeedRow, inTurn: InTurn): Promise<Refreshed> {
  try {
    if (feed.goneAt !== null)
      return { url: feed.url, kind: 'failed', reason: `gone for good since ${feed.goneAt}: it is not asked any more` }
    return await refreshFeed(needs, feed, inTurn)
  } catch (error) {
    if (isStoreAway(error)) throw error // no fault of the feed: it is asked again at its next time
    const reason = `it cannot be kept: ${messageOf(error)}`
    return await fail(needs, feed, { reason, status: null, retryAfter: null }).catch((again) => {
      needs.log.error({ feed: feed.url, error: messageOf(again) }, 'a feed can neither be read nor recorded')
      return { url: feed.url, kind: 'failed', reason }
    })
  }
}

async function refreshFeed(needs: RefreshNeeds, feed: FeedRow, inTurn: InTurn): Promise<Refreshed> {
  const { etag, lastModified } = feed
  // What it showed before was read without the texts that are wanted now: it is asked as if for the first time.
  const known = wantsBodies(needs, feed) && feed.bodiesAt === null ? {} : { etag, lastModified }
  const refreshed = await inTurn(
    () => needs.fetcher.get(addressOf(feed), known),
    async (fetched) => {
      if (fetched.kind !== 'failed') return await readAndKeep(needs, feed, fetched)
      return fetched.status === 410 && feed.address !== null ? null : await fail(needs, feed, fetched)
    },
  )
  return refreshed ?? (await refreshFeed(needs, await comeBack(needs, feed), inTurn))
}

/** The place that it moved to is gone, which says nothing of the one that the job files name. */
async function comeBack({ db, clock }: RefreshNeeds, feed: FeedRow): Promise<FeedRow> {
  await noteFeed(db, feed.id, `${feed.address} is gone for good (410): it is asked at ${feed.url} again`, clock.now())
  await forgetMove(db, feed.id)
  return { ...feed, address: null, etag: null, lastModified: null }
}

async function readAndKeep(needs: RefreshNeeds, feed: FeedRow, fetched: Answered): Promise<Refreshed> {
  const { url } = feed
  const bodies = wantsBodies(needs, feed)
  if (fetched.kind === 'unchanged') {
    await keep(needs, feed, fetched, null)
    return { url, kind: 'unchanged' }
  }
  const parsed = await parseFeed(fetched.bytes, { url: fetched.url, contentType: fetched.contentType, bodies })
  if ('failed' in parsed) return await fail(needs, feed, { reason: parsed.failed, status: null, retryAfter: null })
  const added = await keep(needs, feed, fetched, parsed)
  return { url, kind: 'read', articles: parsed.articles.length, added, rejected: parsed.rejected.length }
}

function wantsBodies({ wholeFeeds }: RefreshNeeds, { url }: FeedRow): boolean {
  return wholeFeeds?.has(url) ?? false
}

type Answered = Exclude<Fetched, { kind: 'failed' }>

/** What it showed, how it publishes and when to come again, in one transaction. Returns how many articles were new. */
async function keep(needs: RefreshNeeds, feed: FeedRow, fetched: Answered, parsed: ParsedFeed | null): Promise<number> {
  const { clock } = needs
  return await needs.db.transaction().execute(async (trx) => {
    const now = clock.now()
    const elsewhere = (url: string) => standsElsewhere(url, parsed?.siteUrl ?? addressOf(feed))
    const added = parsed ? await keepArticles(trx, feed.id, parsed.articles, now, elsewhere) : 0
    if (parsed) await keepRejections(trx, feed.id, parsed.rejected, now)
    const { gap, ...pace } = await paceIn(trx, feed, now)
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
        ...(await addressAfter({ ...needs, db: trx }, feed, fetched.movedTo)),
        etag,
        lastModified,
        ttl,
        nextFetchAt: afterSuccess({ feedId: feed.id, gap, maxAge: fetched.maxAge, ttl }, now),
      },
      now,
    )
    return added
  })
}

async function paceIn(db: Db, feed: FeedRow, now: string): Promise<Pace> {
  return paceOf(await arrivals(db, feed.id, window), await firstSeen(db, feed.id), feed, now)
}

/**
 * A feed that moved for good keeps its name in the job files, its articles and its ledger; it is only asked elsewhere. A
 * new address that is too long to keep is followed each time.
 */
async function addressAfter({ db, clock, log }: RefreshNeeds, feed: FeedRow, movedTo: string | null) {
  if (movedTo === null || movedTo === addressOf(feed) || movedTo.length > longest.address) return {}
  if (await isAnothersAddress(db, feed.id, movedTo)) {
    const what = `it says that it moved to ${movedTo}, which is another feed here: it is asked at ${addressOf(feed)} as before`
    if (await noteFeed(db, feed.id, what, clock.now())) log.warn({ feed: feed.url, movedTo }, 'feed moved into another')
    return {}
  }
  await noteFeed(db, feed.id, `moved for good, from ${addressOf(feed)} to ${movedTo}`, clock.now())
  log.warn(
    { feed: feed.url, from: addressOf(feed), to: movedTo },
    'feed moved for good: it is asked at its new address',
  )
  return { address: movedTo === feed.url ? null : movedTo }
}

type Trouble = { reason: string; status: number | null; retryAfter: number | null }

async function fail(needs: RefreshNeeds, feed: FeedRow, { reason, status, retryAfter }: Trouble): Promise<Refreshed> {
  const { db, clock, log } = needs
  const now = clock.now()
  const failures = feed.failures + 1
  const failure: FeedFailure = { nextFetchAt: afterFailure({ feedId: feed.id, failures, retryAfter }, now) }
  if (status === 410) {
    failure.goneAt = now
    await noteFeed(db, feed.id, 'gone for good (410): it is not asked any more', now)
  } else if (feed.address !== null && failures >= patienceWithMove) {
    Object.assign(failure, { address: null, etag: null, lastModified: null })
    await noteFeed(db, feed.id, `${feed.address} fails: it is asked at ${feed.url} again`, now)
  }
  await recordFailure(db, feed.id, reason, now, failure)
  const next = failure.goneAt ? null : failure.nextFetchAt
  log.warn({ event: 'feed.failed', feed: feed.url, reason, failures, next }, 'feed failed')
  return { url: feed.url, kind: 'failed', reason }
}
