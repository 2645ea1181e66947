import type { Context } from 'hono'
import { keyLength } from '../mail/keys.ts'
import type { Env } from './response.ts'

const maxTextLength = 1000
const maxDecodings = 3

const keyPattern = new RegExp(`[a-z2-7]{${keyLength}}`, 'i') // the alphabet of base32 (RFC 4648 §6)

/**
 * The key in the last part of an address: its first 48 letters of base32 in a row. What mail programs and people copy
 * along does not count: punctuation in front and behind, a slash, and, inside as well, blanks, line breaks, invisible
 * characters and the `=` of a soft line break (RFC 2045 §6.7), encoded once or several times. Empty if there is none.
 */
export function keyIn(text: string): string {
  let decoded = text.slice(0, maxTextLength)
  for (let round = 0; round < maxDecodings && decoded.includes('%'); round++) decoded = decodeBytes(decoded)
  const letters = decoded.replace(/[^!-~]|=/g, '')
  return keyPattern.exec(letters)?.[0].toLowerCase() ?? ''
}

/** Byte by byte, since what was cut off may be no UTF-8; no byte of a character outside ASCII is one inside. */
function decodeBytes(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)))
}

/** A route whose last part, `:key` or `:token`, may be anything, slashes and line breaks among it. */
export function withCatchAllParam<Path extends string>(path: Path) {
  return `${path}{[\\s\\S]+}` as const
}

export function keyParam(context: Context<Env>): string {
  return keyIn(context.req.param('key') ?? context.req.param('token') ?? '')
}
