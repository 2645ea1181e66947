import { Agent, type Dispatcher, errors, request } from 'undici'
import { messageOf } from '../errors.ts'
import { AddressRefused, guardedLookup, isAllowed, literalAddress, refusal } from './address.ts'
import { CannotUnpack, unpack } from './unpack.ts'

/** The one client for every outside fetch. A stranger's failure is a value here; nothing throws. */
export type Fetcher = {
  get(url: string, options?: GetOptions): Promise<Fetched>
  close(): Promise<void>
}

export type GetOptions = {
  /** From an earlier answer: the server may then say "unchanged". */
  etag?: string | null
  lastModified?: string | null
  accept?: string
  signal?: AbortSignal
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
      /** Seconds, from Cache-Control. */
      maxAge: number | null
    }
  | { kind: 'unchanged'; movedTo: string | null; maxAge: number | null }
  | Failed

type Failed = {
  kind: 'failed'
  /** For a person: what happened, and where. */
  reason: string
  status: number | null
  /** Seconds. */
  retryAfter: number | null
}

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
 * every hop), at most five redirects, conditional requests, gzip, br, zstd and deflate, one time limit for it all.
 */
export function openFetcher(limits: FetchLimits): Fetcher {
  const milliseconds = limits.timeout * 1000
  // Without pipelining a connection ends with its answer: no more are open than requests are under way.
  const timeouts = { headersTimeout: milliseconds, bodyTimeout: milliseconds, pipelining: 0 }
  const guarded = new Agent({ ...timeouts, connect: { lookup: guardedLookup, timeout: milliseconds } })
  const open = new Agent({ ...timeouts, connect: { timeout: milliseconds } })

  return {
    async get(url, options = {}) {
      const timeLimit = AbortSignal.timeout(milliseconds)
      const signal = options.signal ? AbortSignal.any([timeLimit, options.signal]) : timeLimit
      let at = url
      try {
        return await follow(url, options, signal, (next) => {
          at = next.href
          return isAllowed(next, limits.allow) ? open : guarded
        })
      } catch (error) {
        if (timeLimit.aborted) return failed(`${placeOf(at)} gave no complete answer within ${limits.timeout} s`)
        return failed(failureText(error, at))
      }
    },
    async close() {
      await Promise.all([guarded.destroy(), open.destroy()])
    },
  }

  async function follow(start: string, options: GetOptions, signal: AbortSignal, agentFor: (url: URL) => Agent) {
    let address = start
    let onlyPermanent = true
    for (let hop = 0; hop <= maximumRedirects; hop++) {
      const url = acceptableUrl(address, limits.allow)
      if (typeof url === 'string') return failed(hop ? `${placeOf(start)} redirects to a bad place: ${url}` : url)
      const headers = requestHeaders(options, limits.userAgent)
      const response = await request(url, { method: 'GET', headers, signal, dispatcher: agentFor(url) })
      const location = redirects.has(response.statusCode) ? header(response, 'location') : null
      if (location === null) return answer(url, response, options, hop > 0 && onlyPermanent, limits)
      onlyPermanent &&= response.statusCode === 301 || response.statusCode === 308
      await response.body.dump({ limit: 64 * 1024, signal })
      if (!URL.canParse(location, url))
        return failed(`${url.host} redirects to "${location.slice(0, 200)}", no address`)
      address = new URL(location, url).href
    }
    return failed(`${placeOf(start)} redirects more than ${maximumRedirects} times`)
  }
}

const redirects = new Set([301, 302, 303, 307, 308])

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
  limits: FetchLimits,
): Promise<Fetched> {
  const status = response.statusCode
  if (status === 304 && (options.etag || options.lastModified)) {
    discard(response)
    return { kind: 'unchanged', movedTo: moved ? url.href : null, maxAge: maxAgeOf(response) }
  }
  if (status < 200 || status > 299) {
    discard(response)
    return {
      kind: 'failed',
      reason: `${url.host} answered ${status}${meaning(status)}`,
      status,
      retryAfter: retryAfterOf(response),
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
    maxAge: maxAgeOf(response),
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
  return Buffer.concat(chunks)
}

function header({ headers }: Response, name: string): string | null {
  const value = headers[name]
  return (Array.isArray(value) ? value[0] : value) ?? null
}

function maxAgeOf(response: Response): number | null {
  const match = /(?:^|[\s,])max-age\s*=\s*"?(\d{1,9})/i.exec(header(response, 'cache-control') ?? '')
  return match ? Number(match[1]) : null
}

/** RFC 9110 §10.2.3: seconds or a date, read against the server's own clock. */
function retryAfterOf(response: Response): number | null {
  const value = header(response, 'retry-after')
  if (value === null) return null
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value)
  const seconds = (Date.parse(value) - Date.parse(header(response, 'date') ?? '')) / 1000
  return Number.isFinite(seconds) ? Math.max(0, Math.round(seconds)) : null
}

function failed(reason: string): Failed {
  return { kind: 'failed', reason, status: null, retryAfter: null }
}

function placeOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : address.slice(0, 200)
}

function meaning(status: number): string {
  return meanings[status] ? ` (${meanings[status]})` : ''
}

const meanings: Record<number, string> = {
  401: 'it wants a name and password',
  403: 'it does not let us in',
  404: 'there is nothing at this address',
  410: 'it is gone for good',
  429: 'we ask too often',
  451: 'closed for legal reasons',
  500: 'it is broken',
  502: 'it is broken',
  503: 'it is not available now',
  504: 'it is not available now',
}

function failureText(error: unknown, address: string): string {
  const place = placeOf(address)
  if (error instanceof AddressRefused) return error.message
  if (error instanceof CannotUnpack) return `the answer of ${place} is unreadable: ${error.message}`
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (error instanceof errors.HTTPParserError) return `${place} does not answer in HTTP`
  const words = failures.find(([pattern]) => pattern.test(code))?.[1]
  return words ? `${place} ${words}` : `fetching from ${place} failed: ${messageOf(error)}`
}

const failures: [RegExp, string][] = [
  [/^ECONNREFUSED$/, 'refuses the connection'],
  [/^(ENOTFOUND|EAI_NODATA)$/, 'is not a known name'],
  [/^EAI_AGAIN$/, 'cannot be looked up now'],
  [/^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/, 'broke the connection off'],
  [/TIMEOUT|ETIMEDOUT/, 'did not answer in time'],
  [/^(EHOSTUNREACH|ENETUNREACH)$/, 'cannot be reached'],
  [/CERT|^ERR_TLS|SELF_SIGNED|^EPROTO|^ERR_SSL/, 'has no valid certificate'],
]
