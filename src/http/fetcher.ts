import { type Clock, systemClock } from '../time/clock.ts'
import { acceptableUrl } from './acceptable-url.ts'
import { BoundedRequests, type RunOnHost } from './bounded-requests.ts'
import { fetchFailure } from './failure.ts'
import type { Fetched, FetchLimits, GetOptions, PostResult, RedirectResult } from './fetched.ts'
import { getFollowingRedirects } from './get.ts'
import { checkRedirect } from './redirect.ts'
import { readBytes } from './response.ts'

/** The only client for outside fetches. A failure of a server is a value; no method throws. */
export type Fetcher = {
  get(url: string, options?: GetOptions): Promise<Fetched>
  /** Reads the redirect of an address without following it. */
  resolveRedirect(url: string, signal?: AbortSignal): Promise<RedirectResult>
  /** Posts a form without following redirects; an answer with status 4xx or 5xx has its body too. */
  post(url: string, form: URLSearchParams): Promise<PostResult>
  close(): Promise<void>
}

/**
 * Opens the guarded client: http and https, public addresses (checked for each connection), at most two requests of a
 * host at a time, five redirects, and one time limit for each call. Dates in an answer are read against its Date header,
 * else against the clock.
 */
export function openFetcher(limits: FetchLimits, clock: Clock = systemClock): Fetcher {
  const requests = new BoundedRequests(limits)
  return {
    get: (url, options = {}) =>
      requests.run(url, options.signal, (runOnHost) =>
        getFollowingRedirects(url, { options, limits, clock }, runOnHost),
      ),
    resolveRedirect: (url, signal) => requests.run(url, signal, (runOnHost) => checkRedirect(url, limits, runOnHost)),
    post: (url, form) => requests.run(url, undefined, (runOnHost) => postForm(url, form, limits, runOnHost)),
    close: () => requests.close(),
  }
}

async function postForm(
  address: string,
  form: URLSearchParams,
  limits: FetchLimits,
  runOnHost: RunOnHost,
): Promise<PostResult> {
  const url = acceptableUrl(address, limits.allow)
  if (typeof url === 'string') return fetchFailure(url)
  const headers = {
    'user-agent': limits.userAgent,
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  }
  const body = form.toString()
  return await runOnHost(url, async (send) => {
    const response = await send({ method: 'POST', headers, body })
    const bytes = await readBytes(response, limits.maximumBytes)
    return { kind: 'answered', status: response.statusCode, bytes }
  })
}
