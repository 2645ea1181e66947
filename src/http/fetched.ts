import type { FetchFailure } from './failure.ts'

export type FetchLimits = {
  /** `host` or `host:port` of servers that may have private addresses. */
  allow: string[]
  /** Seconds for a whole call, redirects and body included. */
  timeout: number
  /** Of the body, both packed and unpacked. */
  maximumBytes: number
  userAgent: string
}

export type GetOptions = {
  /** From an earlier answer, for a conditional request (RFC 9110 §13.1). */
  etag?: string | null
  lastModified?: string | null
  accept?: string
  signal?: AbortSignal
  /** Called before the first request and before each redirect: the reason not to fetch the URL, or null. */
  refuse?: (url: URL) => Promise<string | null>
  /** Bytes of the body to read; the rest is left out. */
  truncateAtBytes?: number
}

export type Fetched =
  | {
      kind: 'ok'
      /** After redirects. */
      url: string
      /** The end of a chain of only permanent redirects (301, 308), or null. */
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

/** `elsewhere`: one redirect to an address that may be fetched; `permanent`: by 301 or 308. */
export type RedirectResult = { kind: 'here' } | { kind: 'elsewhere'; url: string; permanent: boolean } | FetchFailure

export type PostResult = { kind: 'answered'; status: number; bytes: Uint8Array } | FetchFailure
