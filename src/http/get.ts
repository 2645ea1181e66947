import type { Clock } from '../time/clock.ts'
import { acceptableUrl } from './acceptable-url.ts'
import type { RunOnHost } from './bounded-requests.ts'
import type { Response } from './client.ts'
import { displayHost, type FetchFailure, fetchFailure, statusMeaning } from './failure.ts'
import type { Fetched, FetchLimits, GetOptions } from './fetched.ts'
import { isPermanentRedirect, isRedirect, redirectTarget } from './redirect.ts'
import { discard, header, maxAgeSeconds, readBody, retryAfterSeconds } from './response.ts'

type GetContext = { options: GetOptions; limits: FetchLimits; clock: Clock }

const maxRedirects = 5
/** A body of a redirect up to this size is read, so that it does not cost the connection. */
const maxRedirectBodyBytes = 64 * 1024

/** GETs an address and follows redirects, each checked like the first address. */
export async function getFollowingRedirects(
  start: string,
  context: GetContext,
  runOnHost: RunOnHost,
): Promise<Fetched> {
  let address = start
  let isPermanent = true
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const url = await checkedUrl(address, context)
    if ('reason' in url)
      return fetchFailure(hop ? `${displayHost(start)} redirects to ${url.redirectReason}` : url.reason)
    const answer = await getOnce(url, { ...context, isMoved: hop > 0 && isPermanent }, runOnHost)
    if (!('redirect' in answer)) return answer
    if ('kind' in answer.redirect) return answer.redirect
    address = answer.redirect.href
    isPermanent &&= answer.isPermanent
  }
  return fetchFailure(`${displayHost(start)} redirects more than ${maxRedirects} times`)
}

/** The URL, or the reason why it may not be fetched, also in the form for the target of a redirect. */
async function checkedUrl(
  address: string,
  { options, limits }: GetContext,
): Promise<URL | { reason: string; redirectReason: string }> {
  const url = acceptableUrl(address, limits.allow)
  if (typeof url === 'string') return { reason: url, redirectReason: `a bad place: ${url}` }
  const reason = await options.refuse?.(url)
  return reason ? { reason, redirectReason: `${url.host}: ${reason}` } : url
}

type Redirect = { redirect: { href: string } | FetchFailure; isPermanent: boolean }

function getOnce(
  url: URL,
  context: GetContext & { isMoved: boolean },
  runOnHost: RunOnHost,
): Promise<Fetched | Redirect> {
  return runOnHost(url, async (send, signal) => {
    const response = await send({ method: 'GET', headers: requestHeaders(context) })
    const location = isRedirect(response.statusCode) ? header(response, 'location') : null
    if (location === null) return await toFetched(url, response, context)
    await response.body.dump({ limit: maxRedirectBodyBytes, signal })
    return { redirect: redirectTarget(url, location), isPermanent: isPermanentRedirect(response.statusCode) }
  })
}

function requestHeaders({ options, limits }: GetContext): Record<string, string> {
  return {
    'user-agent': limits.userAgent,
    accept:
      options.accept ??
      'application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5',
    'accept-encoding': 'gzip, br, zstd, deflate',
    ...(options.etag ? { 'if-none-match': options.etag } : {}),
    ...(options.lastModified ? { 'if-modified-since': options.lastModified } : {}),
  }
}

async function toFetched(
  url: URL,
  response: Response,
  { options, limits, clock, isMoved }: GetContext & { isMoved: boolean },
): Promise<Fetched> {
  const status = response.statusCode
  const movedTo = isMoved ? url.href : null
  if (status === 304 && (options.etag || options.lastModified)) {
    discard(response)
    return { kind: 'unchanged', movedTo, maxAge: maxAgeSeconds(response, clock) }
  }
  if (status < 200 || status > 299) {
    discard(response)
    const failure = fetchFailure(`${url.host} answered ${status}${statusMeaning(status)}`, status)
    return { ...failure, retryAfterSeconds: retryAfterSeconds(response, clock) }
  }
  return {
    kind: 'ok',
    url: url.href,
    movedTo,
    bytes: await readBody(response, limits.maximumBytes, options.truncateAtBytes),
    contentType: header(response, 'content-type'),
    etag: header(response, 'etag'),
    lastModified: header(response, 'last-modified'),
    maxAge: maxAgeSeconds(response, clock),
    links: [response.headers.link ?? []].flat().join(', '),
  }
}
