import { type Clock, systemClock } from '../clock.ts'
import { isAllowed, isUnsafePort, literalAddress, refusal } from './address.ts'
import { type AskOptions, type Client, openClient, type Response } from './client.ts'
import { type Failed, failed, failureText, meaning, placeOf } from './failure.ts'
import { HostLimit } from './host-limit.ts'
import { longest } from './longest.ts'
import { bodyOf, discard, header, maxAgeOf, readAtMost, retryAfterOf } from './response.ts'
import { TimeLimit } from './time-limit.ts'

/** The one client for every outside fetch. A stranger's failure is a value here; nothing throws. */
export type Fetcher = {
  get(url: string, options?: GetOptions): Promise<Fetched>
  /** Where an address leads: it is asked once, and the redirect is read and not followed. */
  whereTo(url: string, signal?: AbortSignal): Promise<Led>
  /** Posts a form. No redirect is followed; a refusal (4xx, 5xx) has a body too. */
  post(url: string, form: URLSearchParams): Promise<Posted>
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
  atMost?: number
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
  | Failed

/** `elsewhere`: it redirects there, to a place that we would fetch from. `permanent`: with 301 or 308. */
export type Led = { kind: 'here' } | { kind: 'elsewhere'; url: string; permanent: boolean } | Failed

export type Posted = { kind: 'answered'; status: number; bytes: Uint8Array } | Failed

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
const longestUrl = 8000

/**
 * Opens the guarded client: http and https only, public addresses only (checked on the address that is connected to, on
 * every hop), no port of another protocol, at most two requests of one host at a time, at most five redirects,
 * conditional requests, gzip, br, zstd and deflate, one time limit for it all. Dates in an answer are read against its
 * own, else against our clock.
 */
export function openFetcher(limits: FetchLimits, clock: Clock = systemClock): Fetcher {
  const milliseconds = limits.timeout * 1000
  const hosts = new HostLimit(maximumPerHost)
  let opened: Promise<Client> | undefined
  const client = () => {
    opened ??= openClient(milliseconds, limits.maximumBytes)
    return opened
  }

  return {
    get: (url, options = {}) => asking(url, options.signal, (turn) => follow(url, options, turn)),
    whereTo: (url, signal) => asking(url, signal, (turn) => lookAhead(url, turn)),
    post: (url, form) => asking(url, undefined, (turn) => send(url, form, turn)),
    async close() {
      await (await opened)?.close()
    },
  }

  /** One time limit for all of it, and every failure in words. */
  async function asking<T>(
    url: string,
    given: AbortSignal | undefined,
    work: (turn: Turn) => Promise<T | Failed>,
  ): Promise<T | Failed> {
    const limit = new TimeLimit(milliseconds)
    const signal = given ? AbortSignal.any([limit.signal, given]) : limit.signal
    let at = url
    const turn: Turn = (next, inTurn) =>
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
      if (limit.signal.aborted) return failed(`${placeOf(at)} gave no complete answer within ${limits.timeout} s`)
      return failed(failureText(error, at))
    }
  }

  async function follow(start: string, options: GetOptions, turn: Turn): Promise<Fetched> {
    let address = start
    let onlyPermanent = true
    for (let hop = 0; hop <= maximumRedirects; hop++) {
      const url = acceptableUrl(address, limits.allow)
      if (typeof url === 'string') return failed(hop ? `${placeOf(start)} redirects to a bad place: ${url}` : url)
      const refused = await options.refuse?.(url)
      if (refused) return failed(hop ? `${placeOf(start)} redirects to ${url.host}: ${refused}` : refused)
      const answered = await turn(url, async (ask, signal) => {
        const response = await ask({ method: 'GET', headers: requestHeaders(options, limits.userAgent) })
        const location = redirects.has(response.statusCode) ? header(response, 'location') : null
        if (location === null) return await answer(url, response, options, hop > 0 && onlyPermanent, { limits, clock })
        onlyPermanent &&= permanent.has(response.statusCode)
        await response.body.dump({ limit: 64 * 1024, signal })
        return { location }
      })
      if (!('location' in answered)) return answered
      const { location } = answered
      if (!URL.canParse(location, url))
        return failed(`${url.host} redirects to "${location.slice(0, 200)}", no address`)
      address = new URL(location, url).href
    }
    return failed(`${placeOf(start)} redirects more than ${maximumRedirects} times`)
  }

  /** HEAD; where that is refused, GET without reading what comes. */
  async function lookAhead(address: string, turn: Turn): Promise<Led> {
    const url = acceptableUrl(address, limits.allow)
    if (typeof url === 'string') return failed(url)
    const headers = { 'user-agent': limits.userAgent, accept: 'text/html, */*;q=0.5' }
    return await turn(url, async (ask) => {
      let response = await ask({ method: 'HEAD', headers })
      discard(response)
      if (response.statusCode >= 400 && response.statusCode !== 429) {
        response = await ask({ method: 'GET', headers })
        discard(response)
      }
      const status = response.statusCode
      if (status >= 400) return failed(`${url.host} answered ${status}${meaning(status)}`, status)
      return redirects.has(status) ? ledBy(url, status, header(response, 'location')) : { kind: 'here' }
    })
  }

  async function send(address: string, form: URLSearchParams, turn: Turn): Promise<Posted> {
    const url = acceptableUrl(address, limits.allow)
    if (typeof url === 'string') return failed(url)
    const headers = {
      'user-agent': limits.userAgent,
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    }
    const body = form.toString()
    return await turn(url, async (ask) => {
      const response = await ask({ method: 'POST', headers, body })
      const bytes = await readAtMost(response, limits.maximumBytes)
      return { kind: 'answered', status: response.statusCode, bytes }
    })
  }

  function ledBy(url: URL, status: number, location: string | null): Led {
    if (location === null || !URL.canParse(location, url))
      return failed(`${url.host} redirects to "${location?.slice(0, 200) ?? ''}", no address`, status)
    const target = acceptableUrl(new URL(location, url).href, limits.allow)
    if (typeof target === 'string') return failed(`${url.host} redirects to a bad place: ${target}`, status)
    if (target.href.length > longest.address)
      return failed(`${url.host} redirects to an address with more than ${longest.address} characters`, status)
    return { kind: 'elsewhere', url: target.href, permanent: permanent.has(status) }
  }
}

/** A turn at the host of an address, in which that address may be asked. */
type Turn = <T>(
  url: URL,
  inTurn: (ask: (options: AskOptions) => Promise<Response>, signal: AbortSignal) => Promise<T>,
) => Promise<T>

const redirects = new Set([301, 302, 303, 307, 308])
const permanent = new Set([301, 308])

/** The URL, or why it may not be asked. */
function acceptableUrl(address: string, allow: string[]): URL | string {
  if (address.length > longestUrl) return `an address with more than ${longestUrl} characters is not fetched`
  if (!URL.canParse(address)) return `"${address.slice(0, 200)}" is not an address`
  const url = new URL(address)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return `only http and https are fetched, not ${url.protocol}`
  if (url.username || url.password) return 'an address may not hold a name or password'
  if (isUnsafePort(url) && !isAllowed(url, allow))
    return `port ${url.port} belongs to another protocol than HTTP; allow ${url.host} in feeds.allow if it is right`
  const literal = literalAddress(url)
  if (literal && !isAllowed(url, allow)) return refusal(literal) ?? url
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

async function answer(
  url: URL,
  response: Response,
  options: GetOptions,
  moved: boolean,
  { limits, clock }: { limits: FetchLimits; clock: Clock },
): Promise<Fetched> {
  const status = response.statusCode
  if (status === 304 && (options.etag || options.lastModified)) {
    discard(response)
    return { kind: 'unchanged', movedTo: moved ? url.href : null, maxAge: maxAgeOf(response, clock) }
  }
  if (status < 200 || status > 299) {
    discard(response)
    return {
      kind: 'failed',
      reason: `${url.host} answered ${status}${meaning(status)}`,
      status,
      retryAfter: retryAfterOf(response, clock),
    }
  }
  return {
    kind: 'ok',
    url: url.href,
    movedTo: moved ? url.href : null,
    bytes: await bodyOf(response, { maximumBytes: limits.maximumBytes, atMost: options.atMost }),
    contentType: header(response, 'content-type'),
    etag: header(response, 'etag'),
    lastModified: header(response, 'last-modified'),
    maxAge: maxAgeOf(response, clock),
    links: [response.headers.link ?? []].flat().join(', '),
  }
}
