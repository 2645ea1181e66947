import type { Config } from '../config/config.ts'
import { feedsAt } from '../store/feeds/feeds.ts'
import { quarantinedFeeds } from '../store/ledger/stories.ts'
import type { Db, FeedRow } from '../store/schema.ts'
import { type Clock, day, durationText, type Instant, msBetween, parseDurationMs } from '../time/clock.ts'

export type FeedState = 'new' | 'ok' | 'failing' | 'silent' | 'gone' | 'waits'

export type Health = {
  state: FeedState
  /** In a sentence, with the reason. */
  message: string
  /** The editors are notified: it has lasted too long, or an editor has to decide. */
  isTrouble: boolean
}

/** `health` is the worst of `problems`; without problems the feed works or is new. */
export type WatchedFeed = { feed: FeedRow; health: Health; problems: Health[] }

/** Articles that wait for an editor's decision. */
export type QuarantinedArticles = { count: number; reason: string | null }

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
  const held = (await quarantinedFeeds(db)).map(({ id, count, reason }) => ({ id, count: Number(count), reason }))
  return new Map(held.toSorted((one, other) => one.count - other.count).map(({ id, ...one }) => [id, one]))
}

/** The history that is needed to judge a silence … */
const minHistoryMs = 14 * day
/** … and the span of time that its articles must cover. */
const minArticleSpanMs = 7 * day

/** The worst problem of a feed, or that it works or is new. `alertAfter`: milliseconds that it may fail. */
export function healthOf(feed: FeedRow, alertAfter: number, now: Instant, held?: QuarantinedArticles): Health {
  return problemsOf(feed, alertAfter, now, held)[0] ?? stateWithoutProblems(feed)
}

/** All problems of a feed, the worst first. */
function problemsOf(feed: FeedRow, alertAfter: number, now: Instant, held: QuarantinedArticles | undefined): Health[] {
  return [...failureProblems(feed, alertAfter, now), ...waitsOf(held), ...silenceMessage(feed)]
}

function failureProblems(
  { goneAt, error, failingSince, failures }: FeedRow,
  alertAfter: number,
  now: Instant,
): Health[] {
  if (goneAt !== null) {
    const words = `is gone for good since ${dayOf(goneAt)}: it is not asked any more`
    return [{ state: 'gone', message: words, isTrouble: true }]
  }
  if (error === null) return []
  const since = msBetween(failingSince ?? now, now)
  const times = failures === 1 ? 'once' : `${failures} times in a row`
  const words = `has failed for ${durationText(since)} (${times}): ${error}`
  return [{ state: 'failing', message: words, isTrouble: since >= alertAfter }]
}

function waitsOf(held: QuarantinedArticles | undefined): Health[] {
  if (!held) return []
  const waiting = held.count === 1 ? 'article that waits' : 'articles that wait'
  const words = `has ${held.count} ${waiting} for an editor: ${held.reason ?? ''}`
  return [{ state: 'waits', message: words, isTrouble: true }]
}

function stateWithoutProblems({ succeededAt, weekly }: FeedRow): Health {
  if (succeededAt === null) return { state: 'new', message: 'not asked yet', isTrouble: false }
  const rate = weekly === null ? 'it never showed an article' : rateText(weekly)
  return { state: 'ok', message: `works; ${rate}`, isTrouble: false }
}

/** "3.5 articles a week", "2,240 articles a week"; with a decimal below ten. */
export function rateText(weekly: number): string {
  const rate = weekly.toLocaleString('en-GB', { maximumFractionDigits: weekly < 10 ? 1 : 0 })
  return `${rate} ${rate === '1' ? 'article' : 'articles'} a week`
}

/** No new article for longer than ever before, up to the last fetch. */
function silenceMessage({ firstItemAt, newestItemAt, longestSilence, succeededAt, goneAt }: FeedRow): Health[] {
  if (firstItemAt === null || newestItemAt === null || longestSilence === null || succeededAt === null) return []
  if (msBetween(firstItemAt, succeededAt) < minHistoryMs) return []
  if (msBetween(firstItemAt, newestItemAt) < minArticleSpanMs) return []
  const silent = msBetween(newestItemAt, succeededAt)
  const longest = longestSilence * 1000
  if (silent <= longest) return []
  const words = `has shown nothing new for ${durationText(silent)}; it was never silent for longer than ${durationText(longest)}`
  return [{ state: 'silent', message: words, isTrouble: goneAt === null }]
}

function dayOf(instant: Instant): string {
  return instant.slice(0, 10)
}
