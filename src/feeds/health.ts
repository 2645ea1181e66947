import type { Config } from '../config/config.ts'
import type { Reason } from '../store/events/reason.ts'
import { feedsAt } from '../store/feeds/feeds.ts'
import { newPublisherReason } from '../store/feeds/publishers.ts'
import { fromJson } from '../store/json.ts'
import { quarantinedFeeds } from '../store/ledger/stories.ts'
import type { Db, FeedRow } from '../store/schema.ts'
import { type Clock, day, type Instant, msBetween, parseDurationMs } from '../time/clock.ts'

export type FeedState = 'new' | 'ok' | 'failing' | 'silent' | 'gone' | 'waits' | 'refused'

export type Health = {
  state: FeedState
  reason: Reason
  /** The editors are notified: it has lasted too long, or an editor has to decide. */
  isTrouble: boolean
}

/** `health` is the worst of `problems`; without problems the feed works or is new. */
export type WatchedFeed = { feed: FeedRow; health: Health; problems: Health[] }

/** Articles that wait for an editor's decision. */
export type QuarantinedArticles = { count: number; reason: Reason }

/** The known feeds at these addresses, with their health. */
export async function watchedFeeds(
  { db, config, clock }: { db: Db; config: Config; clock: Clock },
  urls: string[],
): Promise<WatchedFeed[]> {
  const alertAfter = parseDurationMs(config.feeds.alertAfter)
  const held = await quarantinedByFeed(db)
  const feeds = await feedsAt(db, [...new Set(urls)])
  return feeds.map((feed) => {
    const problems = problemsOf(feed, alertAfter, clock.now(), held.get(feed.id))
    return { feed, health: problems[0] ?? stateWithoutProblems(feed), problems }
  })
}

/** The quarantined articles by feed id; of several digests those of the digest with the most. */
export async function quarantinedByFeed(db: Db): Promise<Map<string, QuarantinedArticles>> {
  const held = (await quarantinedFeeds(db)).flatMap(({ id, count, reason }) =>
    reason === null ? [] : [{ id, count: Number(count), reason: fromJson(reason) }],
  )
  return new Map(held.toSorted((one, other) => one.count - other.count).map(({ id, ...one }) => [id, one]))
}

/** The minimum history for judging a silence. */
const minHistoryMs = 14 * day
/** The minimum time between the first and the newest article for judging a silence. */
const minArticleSpanMs = 7 * day

/** The worst problem of a feed, or that it works or is new. `alertAfter`: milliseconds of failure until it is trouble. */
export function healthOf(feed: FeedRow, alertAfter: number, now: Instant, held?: QuarantinedArticles): Health {
  return problemsOf(feed, alertAfter, now, held)[0] ?? stateWithoutProblems(feed)
}

/** All problems of a feed, the worst first. */
function problemsOf(feed: FeedRow, alertAfter: number, now: Instant, held: QuarantinedArticles | undefined): Health[] {
  return [...failureProblems(feed, alertAfter, now), ...publisherProblems(feed, held), ...silenceProblems(feed)]
}

function failureProblems(
  { goneAt, error, failingSince, failures }: FeedRow,
  alertAfter: number,
  now: Instant,
): Health[] {
  if (goneAt !== null) {
    return [{ state: 'gone', reason: { code: 'feed-gone', since: goneAt }, isTrouble: true }]
  }
  if (error === null) return []
  const since = msBetween(failingSince ?? now, now)
  const reason: Reason = { code: 'feed-failing', failingMs: since, failures, error: fromJson(error) }
  return [{ state: 'failing', reason, isTrouble: since >= alertAfter }]
}

/** What waits for an editor, or was refused by one. */
function publisherProblems(feed: FeedRow, held: QuarantinedArticles | undefined): Health[] {
  const publisher = newPublisherReason(feed)
  if (publisher !== null && feed.notOursAt !== null)
    return [{ state: 'refused', reason: { ...publisher, code: 'feed-refused' }, isTrouble: false }]
  if (publisher !== null && !held) return [{ state: 'waits', reason: publisher, isTrouble: true }]
  if (!held) return []
  return [{ state: 'waits', reason: { code: 'articles-wait', ...held }, isTrouble: true }]
}

function stateWithoutProblems({ succeededAt, weekly }: FeedRow): Health {
  if (succeededAt === null) return { state: 'new', reason: { code: 'feed-new' }, isTrouble: false }
  return { state: 'ok', reason: { code: 'feed-works', weekly }, isTrouble: false }
}

/** "3.5 articles a week", "2,240 articles a week"; with a decimal below ten. */
export function rateText(weekly: number): string {
  const rate = weekly.toLocaleString('en-GB', { maximumFractionDigits: weekly < 10 ? 1 : 0 })
  return `${rate} ${rate === '1' ? 'article' : 'articles'} a week`
}

/** A problem if the feed had no new article for longer than ever before, up to the last fetch. */
function silenceProblems({ firstItemAt, newestItemAt, longestSilence, succeededAt, goneAt }: FeedRow): Health[] {
  if (firstItemAt === null || newestItemAt === null || longestSilence === null || succeededAt === null) return []
  if (msBetween(firstItemAt, succeededAt) < minHistoryMs) return []
  if (msBetween(firstItemAt, newestItemAt) < minArticleSpanMs) return []
  const silent = msBetween(newestItemAt, succeededAt)
  const longest = longestSilence * 1000
  if (silent <= longest) return []
  const reason: Reason = { code: 'feed-silent', silentMs: silent, longestMs: longest }
  return [{ state: 'silent', reason, isTrouble: goneAt === null }]
}
