import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { keepArticles } from '../store/articles.ts'
import { knowFeeds, recordFailure, recordSuccess } from '../store/feeds.ts'
import type { Db, FeedRow } from '../store/schema.ts'
import type { Fetcher } from './fetch.ts'
import { parseFeed } from './parse.ts'

export type RefreshNeeds = { db: Db; fetcher: Fetcher; clock: Clock; log: Log }

/** What became of one feed: `articles` it showed, how many of them were new, entries that could not be articles. */
export type Refreshed =
  | { url: string; kind: 'read'; articles: number; added: number; rejected: number }
  | { url: string; kind: 'unchanged' }
  | { url: string; kind: 'failed'; reason: string }

const atOnce = 8

/** Asks the feeds at these addresses for what is new and keeps it. A feed that fails is recorded and stops no other. */
export async function refreshFeeds(needs: RefreshNeeds, urls: string[]): Promise<Refreshed[]> {
  const feeds = await knowFeeds(needs.db, urls, needs.clock.now())
  const waiting = feeds.values()
  const report: Refreshed[] = []
  const readers = Array.from({ length: atOnce }, async () => {
    for (const feed of waiting) report.push(await refreshOrFail(needs, feed))
  })
  await Promise.all(readers)
  return report.toSorted((a, b) => (a.url < b.url ? -1 : 1))
}

/** Whatever is in a feed stops no other. */
async function refreshOrFail(needs: RefreshNeeds, feed: FeedRow): Promise<Refreshed> {
  try {
    return await refreshFeed(needs, feed)
  } catch (error) {
    return await fail(needs, feed, `it cannot be kept: ${messageOf(error)}`)
  }
}

async function refreshFeed(needs: RefreshNeeds, feed: FeedRow): Promise<Refreshed> {
  const { db, fetcher, clock } = needs
  const { url, etag, lastModified } = feed
  const fetched = await fetcher.get(url, { etag, lastModified })
  if (fetched.kind === 'failed') return await fail(needs, feed, fetched.reason)
  if (fetched.kind === 'unchanged') {
    await recordSuccess(db, feed.id, { etag, lastModified }, clock.now())
    return { url, kind: 'unchanged' }
  }
  const parsed = await parseFeed(fetched.bytes, { url: fetched.url, contentType: fetched.contentType })
  if ('failed' in parsed) return await fail(needs, feed, parsed.failed)
  const { title, siteUrl, articles, rejected } = parsed
  const added = await db.transaction().execute(async (trx) => {
    const success = {
      title,
      siteUrl,
      etag: fetched.etag,
      lastModified: fetched.lastModified,
      rejected: rejected.length,
    }
    await recordSuccess(trx, feed.id, success, clock.now())
    return await keepArticles(trx, feed.id, articles, clock.now())
  })
  return { url, kind: 'read', articles: articles.length, added, rejected: rejected.length }
}

async function fail({ db, clock, log }: RefreshNeeds, { id, url }: FeedRow, reason: string): Promise<Refreshed> {
  log.warn({ feed: url, reason }, 'feed failed')
  await recordFailure(db, id, reason, clock.now())
  return { url, kind: 'failed', reason }
}
