import { hostWithoutWww, isOffSite } from '../http/url.ts'
import type { Log } from '../log.ts'
import { addEvent } from '../store/events/events.ts'
import { hasArticleInCommon, knownHosts } from '../store/feeds/known-publisher.ts'
import { clearNewPublisher, recordNewPublisher } from '../store/feeds/publishers.ts'
import type { Db, FeedRow, Publisher } from '../store/schema.ts'
import type { Instant } from '../time/clock.ts'
import type { ParsedFeed } from './parse/feed.ts'

type Needs = { db: Db; log: Log }

/** `ours`: as before; `new`: another publisher, until an editor decides; `refused`: an editor said that it is not ours. */
export type PublisherVerdict = 'ours' | 'new' | 'refused'

/**
 * Whose articles a read of the feed has, compared with everything that the feed listed before its publisher changed. A
 * change, and the return of the earlier publisher, are recorded.
 */
export async function checkPublisher(
  { db, log }: Needs,
  feed: FeedRow,
  { parsed, movedTo }: { parsed: ParsedFeed; movedTo: string | null },
  now: Instant,
): Promise<PublisherVerdict> {
  if (parsed.articles.length === 0) return currentVerdict(feed)
  const isOther = await isOtherPublisher(db, feed, parsed)
  if (!isOther && feed.newPublisherAt === null) return 'ours'
  const about = { actor: 'system' as const, feed: feed.id }
  if (!isOther) {
    await clearNewPublisher(db, feed, now)
    await addEvent(db, { kind: 'feed.publisher_back', ...about, data: { title: parsed.title } }, now)
    return 'ours'
  }
  if (feed.notOursAt !== null) return 'refused'
  const publisher: Publisher = { title: parsed.title, siteUrl: parsed.siteUrl, movedTo }
  await recordNewPublisher(db, feed, publisher, now)
  if (feed.newPublisherAt === null) {
    const data = { title: parsed.title, siteUrl: parsed.siteUrl ?? '' }
    await addEvent(db, { kind: 'feed.publisher_changed', ...about, data }, now)
    log.warn({ event: 'feed.publisher_changed', feed: feed.url, ...data }, 'feed seems to have another publisher')
  }
  return 'new'
}

/** The verdict of the last read, which stays where a read has no articles. */
export function currentVerdict({ newPublisherAt, notOursAt }: FeedRow): PublisherVerdict {
  if (notOursAt !== null) return 'refused'
  return newPublisherAt === null ? 'ours' : 'new'
}

/**
 * Whether a feed has another title, another site, articles on other hosts only, and no article that it ever listed. A feed
 * that was never read, or had no article, has no publisher yet.
 */
async function isOtherPublisher(db: Db, feed: FeedRow, parsed: ParsedFeed): Promise<boolean> {
  if (feed.succeededAt === null || isSameTitle(feed.title, parsed.title)) return false
  const theirs = [parsed.siteUrl ?? '', ...parsed.articles.map(({ url }) => url)].filter(isOnHost)
  if (feed.siteUrl !== null && theirs.some((url) => !isOffSite(url, feed.siteUrl ?? ''))) return false
  const hosts = await knownHosts(db, feed)
  if (hosts.length === 0) return false
  const isKnownHost = (url: string) => hosts.some((host) => !isOffSite(url, `https://${host}/`))
  if (theirs.some(isKnownHost)) return false
  return !(await hasArticleInCommon(db, feed, parsed.articles))
}

function isOnHost(url: string): boolean {
  return hostWithoutWww(url) !== ''
}

function isSameTitle(one: string, other: string): boolean {
  return one.trim().toLowerCase() === other.trim().toLowerCase()
}
