import { between, type Clock, day, later, minute } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { askAddressAgain, keepTarget, type ToAsk, takeAddresses } from '../store/addresses.ts'
import type { Db } from '../store/schema.ts'
import type { Fetcher, Led } from './fetch.ts'
import { inLanes } from './lanes.ts'
import { mayAsk } from './manners.ts'

export type FollowNeeds = { db: Db; fetcher: Fetcher; clock: Clock; log: Log }

/** Addresses in one pass; the others wait for the next. */
const atMost = 40
const atOnce = 8
/** Milliseconds for one address, its robots.txt included, and for all: an edition does not wait for a slow shortener. */
const timeLimit = 5000
const timeLimitAll = 30_000
/** A host that does not answer is asked again after this, then after ever longer, for a day in all. */
const patience = 15 * minute

/**
 * Whether an address stands elsewhere than its feed's site: behind a proxy of feeds, a shortener, another publisher.
 * `home` is the site as the feed names it, or the feed's own address if it names none. `www.`, and a part of the same
 * site, is no difference.
 */
export function standsElsewhere(address: string, home: string): boolean {
  const [one, other] = [hostOf(address), hostOf(home)]
  return one !== other && !one.endsWith(`.${other}`) && !other.endsWith(`.${one}`)
}

/**
 * Asks new articles that stand elsewhere where their address leads, one hop far, each once: 40 in a pass, one at a time
 * of each host, and none that a robots.txt forbids. What fails leaves its article as it is. Returns how many have a new
 * address.
 */
export async function followAddresses(needs: FollowNeeds, signal?: AbortSignal): Promise<number> {
  const { db, clock, log } = needs
  const waiting = await takeAddresses(db, clock.now(), atMost)
  const until = performance.now() + timeLimitAll
  const silent = new Set<string>()
  let followed = 0
  await inLanes(waiting, { atOnce, perLane: 1, laneOf: ({ url }) => hostOf(url) }, async (article) => {
    if (signal?.aborted || performance.now() > until) return
    try {
      const led = silent.has(hostOf(article.url)) ? noAnswer : await whereTo(needs, article.url)
      if (led.kind === 'elsewhere') followed += Number(await keepTarget(db, article, led))
      else await askAddressAgain(db, article.id, led.kind === 'failed' ? nextTry(article, led, clock) : null)
      if (led.kind === 'failed' && led.status === null) silent.add(hostOf(article.url))
    } catch (error) {
      log.error({ url: article.url, error: messageOf(error) }, 'where an address leads cannot be kept')
    }
  })
  if (waiting.length > 0) log.info({ asked: waiting.length, followed }, 'addresses asked where they lead')
  return followed
}

type Answer = Led | { kind: 'forbidden' }

async function whereTo(needs: FollowNeeds, address: string): Promise<Answer> {
  const signal = AbortSignal.timeout(timeLimit)
  const allowed = URL.canParse(address) ? await mayAsk(needs, new URL(address), signal) : 'forbidden'
  if (allowed === 'yes') return await needs.fetcher.whereTo(address, signal)
  return allowed === 'unreachable' ? noAnswer : { kind: 'forbidden' }
}

const noAnswer: Led = { kind: 'failed', reason: 'it does not answer', status: null, retryAfter: null }

/** An answer is an answer; silence, and an excuse, is tried again while the article is new. */
function nextTry({ seenAt }: ToAsk, { status }: { status: number | null }, clock: Clock): string | null {
  const now = clock.now()
  const age = between(seenAt, now)
  const excuse = status === null || status === 429 || status >= 500
  return excuse && age < day ? later(now, Math.max(patience, age)) : null
}

function hostOf(address: string): string {
  return URL.canParse(address) ? new URL(address).hostname.replace(/^www\./, '') : ''
}
