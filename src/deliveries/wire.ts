import type { Socket } from 'node:net'
import { messageOf } from '../errors.ts'
import { isOutOfStep, oneLine, type SendResult, toResult, type Verb } from './delivery.ts'
import { readReplies } from './replies.ts'

export type Envelope = { from: string; to: string }

export type Offers = { pipelining: boolean; utf8: boolean; size: boolean }

/** A connection over which messages go, one after another. */
export type Wire = {
  /** Nothing more can go over it. */
  readonly broken: boolean
  /** `wire` is the message as DATA wants it: lines that end in CRLF, dots stuffed, the final dot included. */
  send(envelope: Envelope, wire: Buffer): Promise<SendResult>
  quit(): void
}

const quitting = 5000

/**
 * Speaks SMTP (RFC 5321) over a socket that is connected, secured and authenticated. Where the server offers PIPELINING
 * (RFC 2920), MAIL, RCPT and DATA go in one write. Every reply is matched to its command, and each cut is judged by what
 * was written: once a byte of the message is, it may be whole out there, and is `unknown`.
 *
 * RFC 2920 would let the next envelope go behind the final dot too. It does not: its delivery would be claimed before
 * this one is answered, two for each connection, and whoever kills us may leave one.
 */
export function speakOver(socket: Socket, offers: Offers): Wire {
  const replies = readReplies(socket)
  let spoiled = false // the last transaction failed half way: RSET before the next

  /** Opens a transaction; returns why it could not be opened. */
  async function open(commands: [Verb, string][]): Promise<SendResult | undefined> {
    let refusal: SendResult | undefined
    let goAhead = false
    let addressed = false
    if (offers.pipelining) socket.write(`${commands.map(([, line]) => line).join('\r\n')}\r\n`)
    try {
      for (const [verb, line] of commands) {
        if (!offers.pipelining) socket.write(`${line}\r\n`)
        const reply = await replies.next()
        if (verb === 'DATA' ? reply.code === 354 : reply.code >= 200 && reply.code < 300) {
          if (verb === 'DATA') goAhead = true
          if (verb === 'RCPT') addressed = true
          continue
        }
        if (reply.code === 421 || (!refusal && isOutOfStep(verb, reply.code))) socket.destroy()
        refusal ??= toResult(verb, reply)
        spoiled = true
        if (!offers.pipelining || socket.destroyed) break
      }
      if (refusal && goAhead) await sendNothing(addressed)
    } catch (error) {
      if (!refusal) throw error
    }
    if (!refusal) spoiled = false
    return refusal
  }

  /** The server waits for a message that has no recipient: it gets none (RFC 2920 §3.1). One that has a recipient all the same is cut off. */
  async function sendNothing(addressed: boolean): Promise<void> {
    if (addressed) return void socket.destroy()
    socket.write('.\r\n')
    await replies.next()
  }

  return {
    get broken() {
      return replies.broken || socket.destroyed
    },
    async send({ from, to }, wire) {
      const fault = unspeakable(from, offers) ?? unspeakable(to, offers)
      if (fault) return { kind: 'refused', reply: fault }
      const extras = `${offers.size ? ` SIZE=${wire.length}` : ''}${isAscii(from + to) ? '' : ' SMTPUTF8'}`
      const commands: [Verb, string][] = [
        ['MAIL', `MAIL FROM:<${from}>${extras}`],
        ['RCPT', `RCPT TO:<${to}>`],
        ['DATA', 'DATA'],
      ]
      if (spoiled) commands.unshift(['RSET', 'RSET'])
      let begun = false
      try {
        const refusal = await open(commands)
        if (refusal) return refusal
        begun = true
        socket.write(wire)
        const reply = await replies.next()
        const early = socket.writableLength > 0 // it answered what it has not read: nothing it says can be trusted
        if (early || reply.code === 421) socket.destroy()
        return early && reply.code < 400
          ? { kind: 'unknown', reply: `before it had the message, the relay said ${reply.text}` }
          : toResult('dot', reply)
      } catch (error) {
        socket.destroy()
        return { kind: begun ? 'unknown' : 'cut', reply: oneLine(messageOf(error)) }
      }
    },
    quit() {
      if (socket.destroyed) return
      replies.leave()
      socket.end('QUIT\r\n')
      const timer = setTimeout(() => socket.destroy(), quitting).unref()
      socket.once('close', () => clearTimeout(timer))
    },
  }
}

const isAscii = (text: string) => /^[\x20-\x7e]*$/.test(text)

/** Why an address cannot be said in SMTP: it would end the command, or the server does not take its script. */
function unspeakable(address: string, { utf8 }: Offers): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what we look for
  if (address === '' || /[\u0000-\u0020\u007f<>]/.test(address)) {
    return `${JSON.stringify(address)} cannot be said in SMTP`
  }
  if (!utf8 && !isAscii(address)) return `the relay does not take ${address}: it offers no SMTPUTF8`
  return undefined
}
