import { between, type Clock, day, durationText, type Instant, spanMilliseconds } from '../clock.ts'
import type { Config } from '../config.ts'
import { allFeeds } from '../store/feeds.ts'
import type { Db, FeedRow } from '../store/schema.ts'

export type FeedState = 'new' | 'ok' | 'failing' | 'silent' | 'gone'

/** How a feed is, for a person. */
export type Health = {
  state: FeedState
  /** In a sentence, with the reason. */
  words: string
  /** It has lasted longer than the rule allows: the editors are to be told. */
  trouble: boolean
}

export type Watched = { feed: FeedRow; health: Health }

/** The feeds at these addresses that were ever asked, with how they are, by their address. */
export async function watchedFeeds(
  { db, config, clock }: { db: Db; config: Config; clock: Clock },
  urls: string[],
): Promise<Watched[]> {
  const listed = new Set(urls)
  const alertAfter = spanMilliseconds(config.feeds.alertAfter)
  const feeds = (await allFeeds(db)).filter((feed) => listed.has(feed.url))
  return feeds.map((feed) => ({ feed, health: healthOf(feed, alertAfter, clock.now()) }))
}

/** A younger past says nothing of how long a feed is silent as a rule. */
const leastHistory = 14 * day

/** How the feed is at this moment. `alertAfter` (milliseconds) is the rule for how long it may fail. */
export function healthOf(feed: FeedRow, alertAfter: number, now: Instant): Health {
  const { goneAt, error, failingSince, failures } = feed
  if (goneAt !== null)
    return { state: 'gone', words: `is gone for good since ${dayOf(goneAt)}: it is not asked any more`, trouble: true }
  if (error !== null) {
    const since = between(failingSince ?? now, now)
    const times = failures === 1 ? 'once' : `${failures} times in a row`
    const words = `has failed for ${durationText(since)} (${times}): ${error}`
    return { state: 'failing', words, trouble: since >= alertAfter }
  }
  if (feed.succeededAt === null) return { state: 'new', words: 'not asked yet', trouble: false }
  const silence = silenceOf(feed)
  if (silence) return { state: 'silent', words: silence, trouble: true }
  const rate = feed.weekly === null ? 'it never showed an article' : `${feed.weekly} articles a week`
  return { state: 'ok', words: `works; ${rate}`, trouble: false }
}

/** Longer without anything new, by our last look, than ever before. */
function silenceOf({ firstItemAt, newestItemAt, longestSilence, succeededAt }: FeedRow): string | undefined {
  if (firstItemAt === null || newestItemAt === null || longestSilence === null || succeededAt === null) return undefined
  if (between(firstItemAt, succeededAt) < leastHistory) return undefined
  const silent = between(newestItemAt, succeededAt)
  const longest = longestSilence * 1000
  if (silent <= longest) return undefined
  return `has shown nothing new for ${durationText(silent)}; it was never silent for longer than ${durationText(longest)}`
}

function dayOf(instant: Instant): string {
  return instant.slice(0, 10)
}
