import type { Clock } from '../time/clock.ts'
import type { Response } from './client.ts'
import { UnpackError, unpack } from './content-encoding.ts'

/** Destroys the body unread. Without a listener its error event would end the process. */
export function discard({ body }: Response): void {
  body.on('error', () => {}).destroy()
}

/** The unpacked body, cut at `truncateAtBytes`. Throws UnpackError if it has more than `maximumBytes`. */
export async function readBody(
  response: Response,
  maximumBytes: number,
  truncateAtBytes = maximumBytes,
): Promise<Uint8Array> {
  const coding = header(response, 'content-encoding')
  if (coding === null && truncateAtBytes < maximumBytes) return await readBytes(response, truncateAtBytes, 'cut')
  const packed = await readBytes(response, maximumBytes)
  return (await unpack(packed, coding, maximumBytes)).subarray(0, truncateAtBytes)
}

/** The body as it was sent. Throws UnpackError if it has more than `maximumBytes`, or cuts it there with `cut`. */
export async function readBytes({ body }: Response, maximumBytes: number, beyond?: 'cut'): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > maximumBytes && !beyond) throw new UnpackError(`more than ${maximumBytes} bytes`)
    if (length > maximumBytes) break // leaving the loop destroys the body
  }
  return (chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks)).subarray(0, maximumBytes)
}

export function header({ headers }: Response, name: string): string | null {
  const value = headers[name]
  return (Array.isArray(value) ? value[0] : value) ?? null
}

/** Seconds from Cache-Control, or from Expires if Cache-Control has no max-age (RFC 9111 §5.3). */
export function maxAgeSeconds(response: Response, clock: Clock): number | null {
  const control = header(response, 'cache-control') ?? ''
  const match = /(?:^|[\s,])max-age\s*=\s*"?(\d{1,9})/i.exec(control)
  if (match) return Number(match[1])
  return /\bno-(?:cache|store)\b/i.test(control) ? null : secondsUntil(header(response, 'expires'), response, clock)
}

/** Seconds from Retry-After, which is a number or a date (RFC 9110 §10.2.3). */
export function retryAfterSeconds(response: Response, clock: Clock): number | null {
  const value = header(response, 'retry-after')
  if (value !== null && /^\s*\d{1,9}\s*$/.test(value)) return Number(value)
  return secondsUntil(value, response, clock)
}

/** Seconds from the Date header of the answer, else from our clock, to a date; null if it is not a date. */
function secondsUntil(date: string | null, response: Response, clock: Clock): number | null {
  const serverNowMs = Date.parse(header(response, 'date') ?? '')
  const seconds = (Date.parse(date ?? '') - (Number.isNaN(serverNowMs) ? Date.parse(clock.now()) : serverNowMs)) / 1000
  return Number.isFinite(seconds) ? Math.max(0, Math.round(seconds)) : null
}
