import type { Dispatcher } from 'undici'
import { type Clock, systemClock } from '../clock.ts'
import { guardedLookup, isAllowed, literalAddress, refusal } from './address.ts'
import { type Failed, failed, failureText, meaning, placeOf } from './failure.ts'
import { CannotUnpack, unpack } from './unpack.ts'

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

/**
 * Opens the guarded client: http and https only, public addresses only (checked on the address that is connected to, on
 * every hop), at most five redirects, conditional requests, gzip, br, zstd and deflate, one time limit for it all. Dates
 * in an answer are read against its own, else against our clock.
 */
export function openFetcher(limits: FetchLimits, clock: Clock = systemClock): Fetcher {
  const milliseconds = limits.timeout * 1000
  let opened: Promise<Client> | undefined
  const client = () => {
    opened ??= openClient(milliseconds)
    return opened
  }

  return {
    get: (url, options = {}) => asking(url, options.signal, (ask, signal) => follow(url, options, signal, ask)),
    whereTo: (url, signal) => asking(url, signal, (ask, limited) => lookAhead(url, limited, ask)),
    post: (url, form) => asking(url, undefined, (ask, signal) => send(url, form, signal, ask)),
    async close() {
      const { guarded, open } = (await opened) ?? {}
      await Promise.all([guarded?.destroy(), open?.destroy()])
    },
  }

  /** One time limit for all of it, and every failure in words. */
  async function asking<T>(
    url: string,
    given: AbortSignal | undefined,
    work: (ask: Ask, signal: AbortSignal) => Promise<T | Failed>,
  ): Promise<T | Failed> {
    const timeLimit = AbortSignal.timeout(milliseconds)
    let at = url
    const ask: Ask = async (next, options) => {
      at = next.href
      const { request, guarded, open } = await client()
      return await request(next, { ...options, dispatcher: isAllowed(next, limits.allow) ? open : guarded })
    }
    try {
      return await work(ask, given ? AbortSignal.any([timeLimit, given]) : timeLimit)
    } catch (error) {
      if (timeLimit.aborted) return failed(`${placeOf(at)} gave no complete answer within ${limits.timeout} s`)
      return failed(failureText(error, at))
    }
  }

  async function follow(start: string, options: GetOptions, signal: AbortSignal, ask: Ask): Promise<Fetched> {
    let address = start
    let onlyPermanent = true
    for (let hop = 0; hop <= maximumRedirects; hop++) {
      const url = acceptableUrl(address, limits.allow)
      if (typeof url === 'string') return failed(hop ? `${placeOf(start)} redirects to a bad place: ${url}` : url)
      const refused = await options.refuse?.(url)
      if (refused) return failed(hop ? `${placeOf(start)} redirects to ${url.host}: ${refused}` : refused)
      const headers = requestHeaders(options, limits.userAgent)
      const response = await ask(url, { method: 'GET', headers, signal })
      const location = redirects.has(response.statusCode) ? header(response, 'location') : null
      if (location === null) return answer(url, response, options, hop > 0 && onlyPermanent, { limits, clock })
      onlyPermanent &&= permanent.has(response.statusCode)
      await response.body.dump({ limit: 64 * 1024, signal })
      if (!URL.canParse(location, url))
        return failed(`${url.host} redirects to "${location.slice(0, 200)}", no address`)
      address = new URL(location, url).href
    }
    return failed(`${placeOf(start)} redirects more than ${maximumRedirects} times`)
  }

  /** HEAD; where that is refused, GET without reading what comes. */
  async function lookAhead(address: string, signal: AbortSignal, ask: Ask): Promise<Led> {
    const url = acceptableUrl(address, limits.allow)
    if (typeof url === 'string') return failed(url)
    const headers = { 'user-agent': limits.userAgent, accept: 'text/html, */*;q=0.5' }
    let response = await ask(url, { method: 'HEAD', headers, signal })
    discard(response)
    if (response.statusCode >= 400 && response.statusCode !== 429) {
      response = await ask(url, { method: 'GET', headers, signal })
      discard(response)
    }
    const status = response.statusCode
    if (status >= 400) return failed(`${url.host} answered ${status}${meaning(status)}`, status)
    return redirects.has(status) ? ledBy(url, status, header(response, 'location')) : { kind: 'here' }
  }

  async function send(address: string, form: URLSearchParams, signal: AbortSignal, ask: Ask): Promise<Posted> {
    const url = acceptableUrl(address, limits.allow)
    if (typeof url === 'string') return failed(url)
    const headers = {
      'user-agent': limits.userAgent,
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
    }
    const body = form.toString()
    const response = await ask(url, { method: 'POST', headers, body, signal })
    return {
      kind: 'answered',
      status: response.statusCode,
      bytes: await readAtMost(response, limits.maximumBytes),
    }
  }

  function ledBy(url: URL, status: number, location: string | null): Led {
    if (location === null || !URL.canParse(location, url))
      return failed(`${url.host} redirects to "${location?.slice(0, 200) ?? ''}", no address`, status)
    const target = acceptableUrl(new URL(location, url).href, limits.allow)
    if (typeof target === 'string') return failed(`${url.host} redirects to a bad place: ${target}`, status)
    return { kind: 'elsewhere', url: target.href, permanent: permanent.has(status) }
  }
}

/** Asks one address, once. */
type Ask = (
  url: URL,
  options: Pick<Dispatcher.RequestOptions, 'method' | 'headers' | 'body' | 'signal'>,
) => Promise<Response>

type Client = Awaited<ReturnType<typeof openClient>>

/** Loaded when something is fetched for the first time: 16 MB and a tenth of a second, and who only sends needs none. */
async function openClient(milliseconds: number) {
  const { Agent, request } = await import('undici')
  // Without pipelining a connection ends with its answer: no more are open than requests are under way.
  const timeouts = { headersTimeout: milliseconds, bodyTimeout: milliseconds, pipelining: 0 }
  const guarded = new Agent({ ...timeouts, connect: { lookup: guardedLookup, timeout: milliseconds } })
  const open = new Agent({ ...timeouts, connect: { timeout: milliseconds } })
  return { request, guarded, open }
}

const redirects = new Set([301, 302, 303, 307, 308])
const permanent = new Set([301, 308])

/** The URL, or why it may not be asked. */
function acceptableUrl(address: string, allow: string[]): URL | string {
  if (!URL.canParse(address)) return `"${address.slice(0, 200)}" is not an address`
  const url = new URL(address)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return `only http and https are fetched, not ${url.protocol}`
  if (url.username || url.password) return 'an address may not hold a name or password'
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

type Response = Dispatcher.ResponseData

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
  const packed = await readAtMost(response, limits.maximumBytes)
  return {
    kind: 'ok',
    url: url.href,
    movedTo: moved ? url.href : null,
    bytes: await unpack(packed, header(response, 'content-encoding'), limits.maximumBytes),
    contentType: header(response, 'content-type'),
    etag: header(response, 'etag'),
    lastModified: header(response, 'last-modified'),
    maxAge: maxAgeOf(response, clock),
    links: [response.headers.link ?? []].flat().join(', '),
  }
}

/** A body that is destroyed unread reports that as an error, which nobody listening would make a crash. */
function discard({ body }: Response): void {
  body.on('error', () => {}).destroy()
}

async function readAtMost({ body }: Response, maximumBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > maximumBytes) throw new CannotUnpack(`more than ${maximumBytes} bytes`) // leaving the loop destroys the body
    chunks.push(chunk)
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)
}

function header({ headers }: Response, name: string): string | null {
  const value = headers[name]
  return (Array.isArray(value) ? value[0] : value) ?? null
}

/** RFC 9111 §5.3: Expires counts where Cache-Control says nothing of it. */
function maxAgeOf(response: Response, clock: Clock): number | null {
  const control = header(response, 'cache-control') ?? ''
  const match = /(?:^|[\s,])max-age\s*=\s*"?(\d{1,9})/i.exec(control)
  if (match) return Number(match[1])
  return /\bno-(?:cache|store)\b/i.test(control) ? null : secondsUntil(header(response, 'expires'), response, clock)
}

/** RFC 9110 §10.2.3: seconds or a date. */
function retryAfterOf(response: Response, clock: Clock): number | null {
  const value = header(response, 'retry-after')
  if (value !== null && /^\s*\d{1,9}\s*$/.test(value)) return Number(value)
  return secondsUntil(value, response, clock)
}

/** Read against the server's own clock, as far as it shows it; null where it is no date. */
function secondsUntil(date: string | null, response: Response, clock: Clock): number | null {
  const theirs = Date.parse(header(response, 'date') ?? '')
  const seconds = (Date.parse(date ?? '') - (Number.isNaN(theirs) ? Date.parse(clock.now()) : theirs)) / 1000
  return Number.isFinite(seconds) ? Math.max(0, Math.round(seconds)) : null
}
