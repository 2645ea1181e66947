import type { Clock } from '../time/clock.ts'
import type { Response } from './client.ts'
import { UnpackError, unpack } from './content-encoding.ts'

/** A body that is destroyed unread reports that as an error, which nobody listening would make a crash. */
export function discard({ body }: Response): void {
  body.on('error', () => {}).destroy()
}

/**
 * The body, unpacked. Throws CannotUnpack for one that has more than `maximumBytes`. Of one that has more than `atMost`
 * only the beginning is read.
 */
export async function readBody(
  response: Response,
  { maximumBytes, atMost = maximumBytes }: { maximumBytes: number; atMost?: number | undefined },
): Promise<Uint8Array> {
  const coding = header(response, 'content-encoding')
  if (coding === null && atMost < maximumBytes) return await readBytes(response, atMost, 'cut')
  const packed = await readBytes(response, maximumBytes)
  return (await unpack(packed, coding, maximumBytes)).subarray(0, atMost)
}

/** A body as it comes. */
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

/** RFC 9111 §5.3: Expires counts where Cache-Control says nothing of it. */
export function maxAgeSeconds(response: Response, clock: Clock): number | null {
  const control = header(response, 'cache-control') ?? ''
  const match = /(?:^|[\s,])max-age\s*=\s*"?(\d{1,9})/i.exec(control)
  if (match) return Number(match[1])
  return /\bno-(?:cache|store)\b/i.test(control) ? null : secondsUntil(header(response, 'expires'), response, clock)
}

/** RFC 9110 §10.2.3: seconds or a date. */
export function retryAfterSeconds(response: Response, clock: Clock): number | null {
  const value = header(response, 'retry-after')
  if (value !== null && /^\s*\d{1,9}\s*$/.test(value)) return Number(value)
  return secondsUntil(value, response, clock)
}

/** Read against the server's own clock, as far as it shows it; null where it is no date. */
function secondsUntil(date: string | null, response: Response, clock: Clock): number | null {
  const serverNowMs = Date.parse(header(response, 'date') ?? '')
  const seconds = (Date.parse(date ?? '') - (Number.isNaN(serverNowMs) ? Date.parse(clock.now()) : serverNowMs)) / 1000
  return Number.isFinite(seconds) ? Math.max(0, Math.round(seconds)) : null
}
