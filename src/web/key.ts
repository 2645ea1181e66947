import type { Context } from 'hono'
import { keyLength } from '../mail/keys.ts'
import type { Env } from './response.ts'

const maxTextLength = 1000
const maxDecodings = 3

const keyPattern = new RegExp(`[a-z2-7]{${keyLength}}`, 'i') // the alphabet of base32 (RFC 4648 §6)

/**
 * The key in the last part of an address: the first 48 base32 characters in a row; empty if there are none. Ignores what
 * mail programs and people copy along: surrounding punctuation, and spaces, line breaks, invisible characters and the `=`
 * of a soft line break (RFC 2045 §6.7) anywhere, percent-encoded up to three times.
 */
export function keyIn(text: string): string {
  let decoded = text.slice(0, maxTextLength)
  for (let round = 0; round < maxDecodings && decoded.includes('%'); round++) decoded = decodeBytes(decoded)
  const characters = decoded.replace(/[^!-~]|=/g, '')
  return keyPattern.exec(characters)?.[0].toLowerCase() ?? ''
}

/** Decodes byte by byte, because a truncated address may be invalid UTF-8. */
function decodeBytes(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)))
}

/** A route whose last part, `:key` or `:token`, matches any text, including slashes and line breaks. */
export function withCatchAllParam<Path extends string>(path: Path) {
  return `${path}{[\\s\\S]+}` as const
}

export function keyParam(context: Context<Env>): string {
  return keyIn(context.req.param('key') ?? context.req.param('token') ?? '')
}
