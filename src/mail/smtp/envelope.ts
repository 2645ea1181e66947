import type { Reason } from '../../store/events/reason.ts'
import type { SendResult, Verb } from './result.ts'

export type Envelope = { from: string; to: string }

/** `pieces`: the message for DATA, with CRLF line ends, dot-stuffing and the final dot. */
export type ReadyMessage = { envelope: Envelope; pieces: Buffer[] }

/** The extensions in a server's answer to EHLO. */
export type Offers = {
  pipelining: boolean
  utf8: boolean
  size: boolean
  /** The maximum size of a message in bytes (SIZE, RFC 1870); 0 or undefined if the server names no limit. */
  maximumSize?: number
}

/** A command and its line. */
export type Command = [verb: Verb, line: string]

/** MAIL and RCPT for an envelope; `size` in bytes, undefined if unknown. */
export function envelopeCommands({ from, to }: Envelope, size: number | undefined, offers: Offers): Command[] {
  const sizeText = offers.size && size !== undefined ? ` SIZE=${size}` : ''
  const script = offers.utf8 && !(isAscii(from) && isAscii(to)) ? ' SMTPUTF8' : ''
  return [
    ['MAIL', `MAIL FROM:<${from}>${sizeText}${script}`],
    ['RCPT', `RCPT TO:<${to}>`],
  ]
}

/** Why this connection cannot carry a message: an address is invalid or needs SMTPUTF8, or the message is too large. */
export function invalidEnvelope(
  { envelope: { from, to }, pieces }: ReadyMessage,
  offers: Offers,
): SendResult | undefined {
  return invalidAddress(from, offers) ?? invalidAddress(to, offers) ?? invalidSize(pieces, offers)
}

/** An address without spaces, control characters and angle brackets, in ASCII. */
const isPlainAddress = /^[\x21-\x3b\x3d\x3f-\x7e]+$/

function invalidAddress(address: string, { utf8 }: Offers): SendResult | undefined {
  if (isPlainAddress.test(address)) return undefined
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the rule looks for them
  if (address === '' || /[\u0000-\u0020\u007f<>]/.test(address))
    return { kind: 'refused', reply: '', reason: { code: 'invalid-address', address: JSON.stringify(address) } }
  if (utf8 || isAscii(address)) return undefined
  return { kind: 'unfit', lacks: 'SMTPUTF8', reply: '', reason: { code: 'no-smtputf8', address } }
}

function invalidSize(pieces: Buffer[], { maximumSize }: Offers): SendResult | undefined {
  if (!maximumSize) return undefined
  const size = sizeOf(pieces)
  if (size <= maximumSize) return undefined
  const reason: Reason = { code: 'message-too-large', bytes: size, maximum: maximumSize }
  return { kind: 'unfit', lacks: 'SIZE', reply: '', reason }
}

export function sizeOf(pieces: Buffer[]): number {
  let size = 0
  for (const { length } of pieces) size += length
  return size
}

/** Whether the text is printable ASCII, which needs no SMTPUTF8. */
export const isAscii = (text: string) => /^[\x20-\x7e]*$/.test(text)
