import { between, type Clock, day, durationText, type Instant, spanMilliseconds } from '../clock.ts'
import type { Config } from '../config.ts'
import { feedsAt } from '../store/feeds.ts'
import type { Db, FeedRow } from '../store/schema.ts'
import { heldFeeds } from '../store/stories.ts'

export type FeedState = 'new' | 'ok' | 'failing' | 'silent' | 'gone' | 'waits'

/** How a feed is, for a person. */
export type Health = {
  state: FeedState
  /** In a sentence, with the reason. */
  words: string
  /** It has lasted longer than the rule allows, or waits for an editor: the editors are to be told. */
  trouble: boolean
}

/** `health` is the worst of what is the `matter`, or that nothing is. */
export type Watched = { feed: FeedRow; health: Health; matter: Health[] }

/** What an editor has to decide about. */
export type Held = { count: number; reason: string | null }

/** The feeds at these addresses that were ever asked, with how they are, by their address. */
export async function watchedFeeds(
  { db, config, clock }: { db: Db; config: Config; clock: Clock },
  urls: string[],
): Promise<Watched[]> {
  const alertAfter = spanMilliseconds(config.feeds.alertAfter)
  const held = await heldByFeed(db)
  const feeds = await feedsAt(db, [...new Set(urls)])
  return feeds.map((feed) => {
    const matter = matterWith(feed, alertAfter, clock.now(), held.get(feed.id))
    return { feed, health: matter[0] ?? wellOf(feed), matter }
  })
}

/** What waits of each feed, by its id; of several digests that where most does. */
export async function heldByFeed(db: Db): Promise<Map<string, Held>> {
  const held = (await heldFeeds(db)).map(({ id, count, reason }) => ({ id, count: Number(count), reason }))
  return new Map(held.toSorted((one, other) => one.count - other.count).map(({ id, ...one }) => [id, one]))
}

/** A younger past says nothing of how long a feed is silent as a rule … */
const leastHistory = 14 * day
/** … nor do articles that all came within less than this. */
const minArticleSpanMs = 7 * day

/** How the feed is at this moment. `alertAfter` (milliseconds) is the rule for how long it may fail. */
export function healthOf(feed: FeedRow, alertAfter: number, now: Instant, held?: Held): Health {
  return matterWith(feed, alertAfter, now, held)[0] ?? wellOf(feed)
}

/** Everything that is the matter with the feed, the worst first. One that fails has been silent for as long as before. */
function matterWith(feed: FeedRow, alertAfter: number, now: Instant, held: Held | undefined): Health[] {
  const silence = silenceOf(feed)
  return [
    ...failureOf(feed, alertAfter, now),
    ...(held ? [{ state: 'waits' as const, words: waitingWords(held), trouble: true }] : []),
    ...(silence ? [{ state: 'silent' as const, words: silence, trouble: feed.goneAt === null }] : []),
  ]
}

function failureOf({ goneAt, error, failingSince, failures }: FeedRow, alertAfter: number, now: Instant): Health[] {
  if (goneAt !== null) {
    const words = `is gone for good since ${dayOf(goneAt)}: it is not asked any more`
    return [{ state: 'gone', words, trouble: true }]
  }
  if (error === null) return []
  const since = between(failingSince ?? now, now)
  const times = failures === 1 ? 'once' : `${failures} times in a row`
  const words = `has failed for ${durationText(since)} (${times}): ${error}`
  return [{ state: 'failing', words, trouble: since >= alertAfter }]
}

function waitingWords({ count, reason }: Held): string {
  return `has ${count} ${count === 1 ? 'article that waits' : 'articles that wait'} for an editor: ${reason ?? ''}`
}

function wellOf({ succeededAt, weekly }: FeedRow): Health {
  if (succeededAt === null) return { state: 'new', words: 'not asked yet', trouble: false }
  const rate = weekly === null ? 'it never showed an article' : rateText(weekly)
  return { state: 'ok', words: `works; ${rate}`, trouble: false }
}

/** "3.5 articles a week", "2,240 articles a week"; a decimal only of less than ten. */
export function rateText(weekly: number): string {
  const rate = weekly.toLocaleString('en-GB', { maximumFractionDigits: weekly < 10 ? 1 : 0 })
  return `${rate} ${rate === '1' ? 'article' : 'articles'} a week`
}

/** Longer without anything new, by our last look, than ever before. */
function silenceOf({ firstItemAt, newestItemAt, longestSilence, succeededAt }: FeedRow): string | undefined {
  if (firstItemAt === null || newestItemAt === null || longestSilence === null || succeededAt === null) return undefined
  if (between(firstItemAt, succeededAt) < leastHistory) return undefined
  if (between(firstItemAt, newestItemAt) < minArticleSpanMs) return undefined
  const silent = between(newestItemAt, succeededAt)
  const longest = longestSilence * 1000
  if (silent <= longest) return undefined
  return `has shown nothing new for ${durationText(silent)}; it was never silent for longer than ${durationText(longest)}`
}

function dayOf(instant: Instant): string {
  return instant.slice(0, 10)
}
