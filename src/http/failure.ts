import { messageOf } from '../errors.ts'
import { UnpackError } from './content-encoding.ts'
import { AddressRefused } from './public-address.ts'

/** A failure of a server or the network, as a value. */
export type FetchFailure = {
  kind: 'failed'
  /** For a person, with the host. */
  reason: string
  status: number | null
  retryAfterSeconds: number | null
}

export function fetchFailure(reason: string, status: number | null = null): FetchFailure {
  return { kind: 'failed', reason, status, retryAfterSeconds: null }
}

/** Whether the server may answer at a later attempt: it did not answer (null), was asked too often, or has an error. */
export function isTemporaryStatus(status: number | null): boolean {
  return status === null || status === 429 || status >= 500
}

export function displayHost(address: string): string {
  return URL.canParse(address) ? new URL(address).host : address.slice(0, 200)
}

export function statusMeaning(status: number): string {
  return statusMeanings[status] ? ` (${statusMeanings[status]})` : ''
}

const statusMeanings: Record<number, string> = {
  401: 'it requires a name and password',
  403: 'access is denied',
  404: 'there is nothing at this address',
  410: 'it is gone',
  429: 'too many requests',
  451: 'closed for legal reasons',
  500: 'an error of the server',
  502: 'an error of the server',
  503: 'it is not available now',
  504: 'it is not available now',
}

export function failureText(error: unknown, address: string): string {
  const host = displayHost(address)
  if (error instanceof AddressRefused) return error.message
  if (error instanceof UnpackError) return `the answer of ${host} is unreadable: ${error.message}`
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (error instanceof Error && error.name === 'HTTPParserError') return `${host} does not answer in HTTP`
  const message = messagesByCode.find(([pattern]) => pattern.test(code))?.[1]
  return message ? `${host} ${message}` : `fetching from ${host} failed: ${messageOf(error)}`
}

const messagesByCode: [RegExp, string][] = [
  [/^ECONNREFUSED$/, 'refuses the connection'],
  [/^(ENOTFOUND|EAI_NODATA)$/, 'is not a known host name'],
  [/^EAI_AGAIN$/, 'cannot be looked up now'],
  [/^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/, 'closed the connection'],
  [/TIMEOUT|ETIMEDOUT/, 'did not answer in time'],
  [/^(EHOSTUNREACH|ENETUNREACH)$/, 'cannot be reached'],
  [/CERT|^ERR_TLS|SELF_SIGNED|^EPROTO|^ERR_SSL/, 'has no valid certificate'],
]
