import { maxLength } from '../config/field-limits.ts'
import { acceptableUrl } from './acceptable-url.ts'
import type { RunOnHost } from './bounded-requests.ts'
import type { Response } from './client.ts'
import { type FetchFailure, fetchFailure, statusMeaning } from './failure.ts'
import type { FetchLimits, RedirectResult } from './fetched.ts'
import { discard, header } from './response.ts'

const redirectStatuses = new Set([301, 302, 303, 307, 308])
const permanentRedirectStatuses = new Set([301, 308])

export function isRedirect(status: number): boolean {
  return redirectStatuses.has(status)
}

export function isPermanentRedirect(status: number): boolean {
  return permanentRedirectStatuses.has(status)
}

/** The absolute URL of a Location header (RFC 9110 §10.2.2). */
export function redirectTarget(
  url: URL,
  location: string | null,
  status: number | null = null,
): { href: string } | FetchFailure {
  if (location !== null && URL.canParse(location, url)) return { href: new URL(location, url).href }
  return fetchFailure(`${url.host} redirects to "${location?.slice(0, 200) ?? ''}", no address`, status)
}

/** Requests an address with HEAD, or with GET where the server refuses HEAD, and reads the redirect without following it. */
export async function checkRedirect(
  address: string,
  { allow, userAgent }: FetchLimits,
  runOnHost: RunOnHost,
): Promise<RedirectResult> {
  const url = acceptableUrl(address, allow)
  if (typeof url === 'string') return fetchFailure(url)
  const headers = { 'user-agent': userAgent, accept: 'text/html, */*;q=0.5' }
  return await runOnHost(url, async (send) => {
    const sendWithoutBody = async (method: 'HEAD' | 'GET') => {
      const response = await send({ method, headers })
      discard(response)
      return response
    }
    const answer = await sendWithoutBody('HEAD')
    const isRefused = answer.statusCode >= 400 && answer.statusCode !== 429
    return toRedirectResult(url, isRefused ? await sendWithoutBody('GET') : answer, allow)
  })
}

function toRedirectResult(url: URL, response: Response, allow: string[]): RedirectResult {
  const status = response.statusCode
  if (status >= 400) return fetchFailure(`${url.host} answered ${status}${statusMeaning(status)}`, status)
  if (!isRedirect(status)) return { kind: 'here' }
  const redirect = redirectTarget(url, header(response, 'location'), status)
  if ('kind' in redirect) return redirect
  const target = acceptableUrl(redirect.href, allow)
  if (typeof target === 'string') return fetchFailure(`${url.host} redirects to a bad place: ${target}`, status)
  if (target.href.length > maxLength.address)
    return fetchFailure(`${url.host} redirects to an address with more than ${maxLength.address} characters`, status)
  return { kind: 'elsewhere', url: target.href, permanent: isPermanentRedirect(status) }
}
