import { fetchFailure, isTemporaryStatus } from '../http/failure.ts'
import type { RedirectResult } from '../http/fetched.ts'
import type { Fetcher } from '../http/fetcher.ts'
import { forEachPerHost } from '../http/per-host.ts'
import { hostWithoutWww } from '../http/url.ts'
import type { Log } from '../log.ts'
import {
  claimRedirectChecks,
  type RedirectCheck,
  saveRedirectTarget,
  scheduleRedirectCheck,
} from '../store/articles/redirects.ts'
import type { Db } from '../store/schema.ts'
import { addMs, type Clock, day, minute, msBetween } from '../time/clock.ts'
import { robotsVerdict } from './robots-policy.ts'

export type RedirectNeeds = { db: Db; fetcher: Fetcher; clock: Clock; log: Log }

/** Addresses in one call; the rest waits for the next. */
const maxPerPass = 40
const maxParallel = 8
/** For one address, its robots.txt included, and for all, because an edition waits for this. */
const urlTimeoutMs = 5000
const totalTimeoutMs = 30_000
/** An address without an answer is tried again after this, then after longer times, for a day. */
const minRetryAfterMs = 15 * minute

/**
 * Resolves one redirect of the addresses of new articles that are off their feed's site: 40 in a call, one of a host at a
 * time, obeying robots.txt. Returns how many articles have a new address; a failure changes nothing.
 */
export async function resolveRedirects(needs: RedirectNeeds, signal?: AbortSignal): Promise<number> {
  const { db, clock, log } = needs
  const waiting = await claimRedirectChecks(db, clock.now(), maxPerPass)
  const deadline = performance.now() + totalTimeoutMs
  const unresponsiveHosts = new Set<string>()
  let resolvedCount = 0
  await forEachPerHost(
    waiting,
    { maxParallel, maxPerHost: 1, hostFor: ({ url }) => hostWithoutWww(url) },
    async (article) => {
      if (signal?.aborted || performance.now() > deadline) return
      try {
        const redirect = unresponsiveHosts.has(hostWithoutWww(article.url))
          ? noAnswerFailure
          : await resolveRedirect(needs, article.url)
        if (redirect.kind === 'elsewhere') resolvedCount += Number(await saveRedirectTarget(db, article, redirect))
        else
          await scheduleRedirectCheck(
            db,
            article.id,
            redirect.kind === 'failed' ? nextAttemptAt(article, redirect, clock) : null,
          )
        if (redirect.kind === 'failed' && redirect.status === null) unresponsiveHosts.add(hostWithoutWww(article.url))
      } catch (error) {
        log.error(
          { event: 'redirect.not_stored', url: article.url, err: error },
          'the target of a redirect cannot be stored',
        )
      }
    },
  )
  if (waiting.length > 0)
    log.info({ event: 'redirects.resolved', asked: waiting.length, followed: resolvedCount }, 'redirects resolved')
  return resolvedCount
}

type RedirectAnswer = RedirectResult | { kind: 'forbidden' }

async function resolveRedirect(needs: RedirectNeeds, address: string): Promise<RedirectAnswer> {
  const signal = AbortSignal.timeout(urlTimeoutMs)
  const verdict = URL.canParse(address) ? await robotsVerdict(needs, new URL(address), signal) : 'forbidden'
  if (verdict === 'yes') return await needs.fetcher.resolveRedirect(address, signal)
  return verdict === 'unreachable' ? noAnswerFailure : { kind: 'forbidden' }
}

const noAnswerFailure = fetchFailure('it does not answer')

/** No answer, 429 and 5xx are tried again while the article is new; null: never. */
function nextAttemptAt({ seenAt }: RedirectCheck, { status }: { status: number | null }, clock: Clock): string | null {
  const now = clock.now()
  const age = msBetween(seenAt, now)
  return isTemporaryStatus(status) && age < day ? addMs(now, Math.max(minRetryAfterMs, age)) : null
}
