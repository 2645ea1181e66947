import { maxLength } from '../config/field-limits.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import { type Client, openClient, type RequestOptions, type Response } from './client.ts'
import { displayHost, type FetchFailure, failureText, fetchFailure, statusMeaning } from './failure.ts'
import { HostLimit } from './host-limit.ts'
import { isAllowed, isUnsafePort, literalIp, refusalReason } from './public-address.ts'
import { discard, header, maxAgeSeconds, readBody, readBytes, retryAfterSeconds } from './response.ts'
import { TimeLimit } from './time-limit.ts'

/** The one client for every outside fetch. A stranger's failure is a value here; nothing throws. */
export type Fetcher = {
  get(url: string, options?: GetOptions): Promise<Fetched>
  /** Where an address leads: it is asked once, and the redirect is read and not followed. */
  resolveRedirect(url: string, signal?: AbortSignal): Promise<RedirectResult>
  /** Posts a form. No redirect is followed; a refusal (4xx, 5xx) has a body too. */
  post(url: string, form: URLSearchParams): Promise<PostResult>
  close(): Promise<void>
}

export type GetOptions = {
  /** From an earlier answer: the server may then say "unchanged". */
  etag?: string | null
  lastModified?: string | null
  accept?: string
  signal?: AbortSignal
  /** Asked before every hop, the first one too: the reason why this address may not be asked, or null. */
  refuse?: (url: URL) => Promise<string | null>
  /** Bytes of the body that are wanted: what stands behind them is not read. */
  truncateAtBytes?: number
}

export type Fetched =
  | {
      kind: 'ok'
      /** After redirects. */
      url: string
      /** Where a chain of only 301 and 308 ends: the feed has a new address. */
      movedTo: string | null
      bytes: Uint8Array
      contentType: string | null
      etag: string | null
      lastModified: string | null
      /** Seconds, from Cache-Control, else from Expires. */
      maxAge: number | null
      /** The Link header (RFC 8288), or empty. */
      links: string
    }
  | { kind: 'unchanged'; movedTo: string | null; maxAge: number | null }
  | FetchFailure

/** `elsewhere`: it redirects there, to a place that we would fetch from. `permanent`: with 301 or 308. */
export type RedirectResult = { kind: 'here' } | { kind: 'elsewhere'; url: string; permanent: boolean } | FetchFailure

export type PostResult = { kind: 'answered'; status: number; bytes: Uint8Array } | FetchFailure

export type FetchLimits = {
  /** `host` or `host:port` of places that may be private. */
  allow: string[]
  /** Seconds for the whole request, redirects and body included. */
  timeout: number
  /** Of the body, packed and unpacked. */
  maximumBytes: number
  userAgent: string
}

const maximumRedirects = 5
const maximumPerHost = 2
/** In characters. */
const maxUrlLength = 8000

/**
 * Opens the guarded client: http and https only, public addresses only (checked on the address that is connected to, on
 * every hop), no port of another protocol, at most two requests of one host at a time, at most five redirects,
 * conditional requests, gzip, br, zstd and deflate, one time limit for it all. Dates in an answer are read against its
 * own, else against our clock.
 */
export function openFetcher(limits: FetchLimits, clock: Clock = systemClock): Fetcher {
  const timeoutMs = limits.timeout * 1000
  const hosts = new HostLimit(maximumPerHost)
  let opened: Promise<Client> | undefined
  const client = () => {
    opened ??= openClient(timeoutMs, limits.maximumBytes)
    return opened
  }

  return {
    get: (url, options = {}) => withTimeLimit(url, options.signal, (turn) => followRedirects(url, options, turn)),
    resolveRedirect: (url, signal) => withTimeLimit(url, signal, (turn) => checkRedirect(url, turn)),
    post: (url, form) => withTimeLimit(url, undefined, (turn) => postForm(url, form, turn)),
    async close() {
      await (await opened)?.close()
    },
  }

  /** One time limit for all of it, and every failure in words. */
  async function withTimeLimit<T>(
    url: string,
    given: AbortSignal | undefined,
    work: (turn: RunOnHost) => Promise<T | FetchFailure>,
  ): Promise<T | FetchFailure> {
    const limit = new TimeLimit(timeoutMs)
    const signal = given ? AbortSignal.any([limit.signal, given]) : limit.signal
    let at = url
    const turn: RunOnHost = (next, inTurn) =>
      hosts.run(next.hostname, given, async () => {
        at = next.href
        const { ask } = await client()
        const isGuarded = !isAllowed(next, limits.allow)
        limit.start()
        return await inTurn((options) => ask(next, isGuarded, { ...options, signal }), signal).finally(() =>
          limit.pause(),
        )
      })
    try {
      return await work(turn)
    } catch (error) {
      if (limit.signal.aborted)
        return fetchFailure(`${displayHost(at)} gave no complete answer within ${limits.timeout} s`)
      return fetchFailure(failureText(error, at))
    }
  }

  async function followRedirects(start: string, options: GetOptions, turn: RunOnHost): Promise<Fetched> {
    let address = start
    let onlyPermanent = true
    for (let hop = 0; hop <= maximumRedirects; hop++) {
      const url = acceptableUrl(address, limits.allow)
      if (typeof url === 'string')
        return fetchFailure(hop ? `${displayHost(start)} redirects to a bad place: ${url}` : url)
      const refused = await options.refuse?.(url)
      if (refused) return fetchFailure(hop ? `${displayHost(start)} redirects to ${url.host}: ${refused}` : refused)
      const answered = await turn(url, async (ask, signal) => {
        const response = await ask({ method: 'GET', headers: requestHeaders(options, limits.userAgent) })
        const location = redirectStatuses.has(response.statusCode) ? header(response, 'location') : null
        if (location === null)
          return await toFetched(url, response, options, hop > 0 && onlyPermanent, { limits, clock })
        onlyPermanent &&= permanentRedirectStatuses.has(response.statusCode)
        await response.body.dump({ limit: 64 * 1024, signal })
        return { location }
      })
      if (!('location' in answered)) return answered
      const { location } = answered
      if (!URL.canParse(location, url))
        return fetchFailure(`${url.host} redirects to "${location.slice(0, 200)}", no address`)
      address = new URL(location, url).href
    }
    return fetchFailure(`${displayHost(start)} redirects more than ${maximumRedirects} times`)
  }

  /** HEAD; where that is refused, GET without reading what comes. */
  async function checkRedirect(address: string, turn: RunOnHost): Promise<RedirectResult> {
    const url = acceptableUrl(address, limits.allow)
    if (typeof url === 'string') return fetchFailure(url)
    const headers = { 'user-agent': limits.userAgent, accept: 'text/html, */*;q=0.5' }
    return await turn(url, async (ask) => {
      let response = await ask({ method: 'HEAD', headers })
      discard(response)
      if (response.statusCode >= 400 && response.statusCode !== 429) {
        response = await ask({ method: 'GET', headers })
        discard(response)
      }
      const status = response.statusCode
      if (status >= 400) return fetchFailure(`${url.host} answered ${status}${statusMeaning(status)}`, status)
      return redirectStatuses.has(status) ? redirectTarget(url, status, header(response, 'location')) : { kind: 'here' }
    })
  }

  async function postForm(address: string, form: URLSearchParams, turn: RunOnHost): Promise<PostResult> {
    const url = acceptableUrl(address, limits.allow)
    if (typeof url === 'string') return fetchFailure(url)
    const headers = {
      'user-agent': limits.userAgent,
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    }
    const body = form.toString()
    return await turn(url, async (ask) => {
      const response = await ask({ method: 'POST', headers, body })
      const bytes = await readBytes(response, limits.maximumBytes)
      return { kind: 'answered', status: response.statusCode, bytes }
    })
  }

  function redirectTarget(url: URL, status: number, location: string | null): RedirectResult {
    if (location === null || !URL.canParse(location, url))
      return fetchFailure(`${url.host} redirects to "${location?.slice(0, 200) ?? ''}", no address`, status)
    const target = acceptableUrl(new URL(location, url).href, limits.allow)
    if (typeof target === 'string') return fetchFailure(`${url.host} redirects to a bad place: ${target}`, status)
    if (target.href.length > maxLength.address)
      return fetchFailure(`${url.host} redirects to an address with more than ${maxLength.address} characters`, status)
    return { kind: 'elsewhere', url: target.href, permanent: permanentRedirectStatuses.has(status) }
  }
}

/** A turn at the host of an address, in which that address may be asked. */
type RunOnHost = <T>(
  url: URL,
  inTurn: (ask: (options: RequestOptions) => Promise<Response>, signal: AbortSignal) => Promise<T>,
) => Promise<T>

const redirectStatuses = new Set([301, 302, 303, 307, 308])
const permanentRedirectStatuses = new Set([301, 308])

/** The URL, or why it may not be asked. */
function acceptableUrl(address: string, allow: string[]): URL | string {
  if (address.length > maxUrlLength) return `an address with more than ${maxUrlLength} characters is not fetched`
  if (!URL.canParse(address)) return `"${address.slice(0, 200)}" is not an address`
  const url = new URL(address)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return `only http and https are fetched, not ${url.protocol}`
  if (url.username || url.password) return 'an address may not hold a name or password'
  if (isUnsafePort(url) && !isAllowed(url, allow))
    return `port ${url.port} belongs to another protocol than HTTP; allow ${url.host} in feeds.allow if it is right`
  const literal = literalIp(url)
  if (literal && !isAllowed(url, allow)) return refusalReason(literal) ?? url
  return url
}

function requestHeaders(options: GetOptions, userAgent: string): Record<string, string> {
  return {
    'user-agent': userAgent,
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
  options: GetOptions,
  isMoved: boolean,
  { limits, clock }: { limits: FetchLimits; clock: Clock },
): Promise<Fetched> {
  const status = response.statusCode
  if (status === 304 && (options.etag || options.lastModified)) {
    discard(response)
    return { kind: 'unchanged', movedTo: isMoved ? url.href : null, maxAge: maxAgeSeconds(response, clock) }
  }
  if (status < 200 || status > 299) {
    discard(response)
    return {
      kind: 'failed',
      reason: `${url.host} answered ${status}${statusMeaning(status)}`,
      status,
      retryAfterSeconds: retryAfterSeconds(response, clock),
    }
  }
  return {
    kind: 'ok',
    url: url.href,
    movedTo: isMoved ? url.href : null,
    bytes: await readBody(response, { maximumBytes: limits.maximumBytes, atMost: options.truncateAtBytes }),
    contentType: header(response, 'content-type'),
    etag: header(response, 'etag'),
    lastModified: header(response, 'last-modified'),
    maxAge: maxAgeSeconds(response, clock),
    links: [response.headers.link ?? []].flat().join(', '),
  }
}
