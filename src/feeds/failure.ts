import { messageOf } from '../errors.ts'
import { AddressRefused } from './address.ts'
import { CannotUnpack } from './unpack.ts'

/** A stranger's failure as a value. */
export type Failed = {
  kind: 'failed'
  /** For a person: what happened, and where. */
  reason: string
  status: number | null
  /** Seconds. */
  retryAfter: number | null
}

export function failed(reason: string, status: number | null = null): Failed {
  return { kind: 'failed', reason, status, retryAfter: null }
}

export function placeOf(address: string): string {
  return URL.canParse(address) ? new URL(address).host : address.slice(0, 200)
}

export function meaning(status: number): string {
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

export function failureText(error: unknown, address: string): string {
  const place = placeOf(address)
  if (error instanceof AddressRefused) return error.message
  if (error instanceof CannotUnpack) return `the answer of ${place} is unreadable: ${error.message}`
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (error instanceof Error && error.name === 'HTTPParserError') return `${place} does not answer in HTTP`
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
