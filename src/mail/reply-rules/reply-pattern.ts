import type { Cause } from './cause.ts'

/** What a 5xx that matches is about. On the line above each rule: what a server really says. */
export type ReplyRule = { match: RegExp; cause: Cause }

/** Matches a status code such as `5\\.1\\.1` (RFC 3463), also as `(#5.1.1)`, and never as a part of an IP address. */
export function status(codes: string): RegExp {
  return new RegExp(`(?<![\\d.])(?:${codes})(?![\\d.]*\\d)`)
}

/** Matches where one of the patterns does, in capitals or not. */
export function anyOf(...patterns: RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => source).join('|'), 'i')
}
