import type { Cause } from './cause.ts'

/** A pattern, and the cause of a 5xx that matches it. The comment above each rule quotes a real server. */
export type ReplyRule = { match: RegExp; cause: Cause }

/** Matches a status code such as `5\\.1\\.1` (RFC 3463), also as `(#5.1.1)`, and never as a part of an IP address. */
export function status(codes: string): RegExp {
  return new RegExp(`(?<![\\d.])(?:${codes})(?![\\d.]*\\d)`)
}

/** Matches any of the patterns, in upper or lower case. */
export function anyOf(...patterns: RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => source).join('|'), 'i')
}
