import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import { messageOf } from '../../errors.ts'
import { oneLine } from '../reply-rules/reply-text.ts'
import { type Reply, readReplies } from './replies.ts'
import { isOutOfStep, type SendResult, toResult, type Verb } from './result.ts'

export type Envelope = { from: string; to: string }

/** `pieces` are the message as DATA wants it: lines that end in CRLF, dots stuffed, the final dot included. */
export type Ready = { envelope: Envelope; pieces: Buffer[] }

export type Offers = {
  pipelining: boolean
  utf8: boolean
  size: boolean
  /** The bytes that a message may have at most (SIZE, RFC 1870); 0 or undefined: the server names no limit. */
  maximumSize?: number
}

/** A connection over which messages go, one after another. */
export type Wire = {
  /** Nothing more can go over it. */
  readonly broken: boolean
  /** The envelope that was said already, behind the message before: nothing but its message can go now. */
  readonly opened: Envelope | undefined
  /** `next` is what will follow, where that is known: its envelope is said behind the final dot, if the server lets us. */
  send(message: Ready, next?: Ready): Promise<SendResult>
  /** No message follows for now: the connection is kept, and one that says anything meanwhile is closed. */
  rest(): void
  /** Says good-bye; resolves when the connection is closed. */
  quit(): Promise<void>
}

/** Milliseconds for a good-bye. */
const quitting = 1000

/**
 * Speaks SMTP (RFC 5321) over a socket that is connected, secured and authenticated. Where the server offers PIPELINING
 * (RFC 2920), MAIL, RCPT and DATA go in one write, and the next envelope goes behind the final dot: the server then
 * waits for its message, which is not written before somebody has claimed its delivery. Whoever does not want to send
 * it after all has to quit: until the first byte of a message there is no message.
 *
 * Every reply is matched to its command, and each cut is judged by what was written: with the final dot in the hands of
 * the kernel the message may be whole out there, and is `unknown`; before that it is `cut`. Over TLS nobody says when a
 * connection that is gone had taken the final dot, so a cut inside a message is always `unknown` there. What is kept of a
 * reply went through `mask`, before it is cut to its length.
 */
export function speakOver(socket: Socket, offers: Offers, mask: (text: string) => string = (text) => text): Wire {
  const replies = readReplies(socket, mask)
  const resultOf = (verb: Verb, { code, text }: Reply) => toResult(verb, { code, text: mask(text) })
  /** Node reports a write over TLS one turn of the event loop after the kernel took it: a quick answer is read before. */
  const isEncrypted = socket instanceof TLSSocket
  let spoiled = false // the last transaction failed half way: RSET before the next
  let ahead: { envelope: Envelope; answered: Promise<SendResult | undefined> } | undefined

  /** What opens a transaction. */
  function commandsFor({ envelope: { from, to }, pieces }: Ready): Command[] {
    const extras = `${offers.size ? ` SIZE=${sizeOf(pieces)}` : ''}${isAscii(from) && isAscii(to) ? '' : ' SMTPUTF8'}`
    const commands: Command[] = [
      ['MAIL', `MAIL FROM:<${from}>${extras}`],
      ['RCPT', `RCPT TO:<${to}>`],
      ['DATA', 'DATA'],
    ]
    return spoiled ? [['RSET', 'RSET'], ...commands] : commands
  }

  /** Hears the answers to an envelope, which it says first where the server wants each command alone. Returns why it was not taken. */
  async function hear(commands: Command[]): Promise<SendResult | undefined> {
    let refusal: SendResult | undefined
    let goAhead = false
    let addressed = false
    try {
      for (const [verb, line] of commands) {
        if (!offers.pipelining) socket.write(`${line}\r\n`)
        const next = replies.next()
        const reply = next instanceof Promise ? await next : next
        if (verb === 'DATA' ? reply.code === 354 : reply.code >= 200 && reply.code < 300) {
          if (verb === 'DATA') goAhead = true
          if (verb === 'RCPT') addressed = true
          continue
        }
        if (reply.code === 421 || (!refusal && isOutOfStep(verb, reply.code))) socket.destroy()
        refusal ??= resultOf(verb, reply)
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

  function open(message: Ready): Promise<SendResult | undefined> {
    const commands = commandsFor(message)
    if (offers.pipelining) say(commands)
    return hear(commands)
  }

  function say(commands: Command[]): number {
    const bytes = Buffer.from(`${commands.map(([, line]) => line).join('\r\n')}\r\n`)
    socket.write(bytes)
    return bytes.length
  }

  /** The server waits for a message that has no recipient: it gets none (RFC 2920 §3.1). One that has a recipient all the same is cut off. */
  async function sendNothing(addressed: boolean): Promise<void> {
    if (addressed) return void socket.destroy()
    socket.write('.\r\n')
    await replies.next()
  }

  /** Writes the message and perhaps the next envelope, and judges the answer to the final dot. */
  async function hand(pieces: Buffer[], next: Ready | undefined): Promise<SendResult> {
    let isOut = false // the kernel has it all
    try {
      socket.cork() // one write for all
      for (const piece of pieces.slice(0, -1)) socket.write(piece)
      socket.write(pieces.at(-1) ?? '', (error) => {
        isOut = !error
      })
      const following = next && offers.pipelining && !faultOf(next, offers) ? next : undefined
      const commands = following ? commandsFor(following) : []
      const behind = following ? say(commands) : 0
      socket.uncork()
      const reply = await replies.next()
      if (isEncrypted && !isOut) await setImmediate()
      const early = socket.writableLength > behind // it answered what it has not read: nothing it says can be trusted
      const isAnswer = reply.code >= 200 && reply.code < 600 && (reply.code < 300 || reply.code >= 400)
      if (early || reply.code === 421 || !isAnswer)
        socket.destroy() // one that speaks no SMTP is of no use
      else if (following) hearAhead(following.envelope, commands)
      return early && reply.code < 400
        ? { kind: 'unknown', reply: `before it had the message, the relay said ${oneLine(mask(reply.text))}` }
        : resultOf('dot', reply)
    } catch (error) {
      socket.destroy()
      return { kind: isOut || isEncrypted ? 'unknown' : 'cut', reply: oneLine(messageOf(error)) }
    }
  }

  function hearAhead(envelope: Envelope, commands: Command[]): void {
    const answered = hear(commands)
    answered.catch(() => {}) // heard of with its message
    ahead = { envelope, answered }
  }

  return {
    get broken() {
      return socket.destroyed || (ahead ? false : replies.broken)
    },
    get opened() {
      return ahead?.envelope
    },
    async send(message, next) {
      const { pieces } = message
      const fault = ahead ? undefined : faultOf(message, offers)
      if (fault) return fault
      try {
        const answered = ahead?.answered ?? open(message)
        ahead = undefined
        const refusal = await answered
        if (refusal) return refusal
      } catch (error) {
        socket.destroy()
        return { kind: 'cut', reply: oneLine(messageOf(error)) }
      }
      return await hand(pieces, next)
    },
    rest: replies.rest,
    quit() {
      if (socket.closed) return Promise.resolve()
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(() => socket.destroy(), quitting).unref()
      socket.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
      replies.leave()
      if (ahead)
        socket.destroy() // it waits for a message, and would take QUIT for one
      else if (!socket.destroyed) socket.end('QUIT\r\n')
      return promise
    },
  }
}

type Command = [Verb, string]

const sizeOf = (pieces: Buffer[]) => pieces.reduce((sum, { length }) => sum + length, 0)
const isAscii = (text: string) => /^[\x20-\x7e]*$/.test(text)

/** Why a message cannot go over this connection: it would end a command, or the server does not take its script or its size. */
function faultOf({ envelope: { from, to }, pieces }: Ready, { utf8, maximumSize }: Offers): SendResult | undefined {
  for (const address of [from, to]) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what we look for
    if (address === '' || /[\u0000-\u0020\u007f<>]/.test(address))
      return { kind: 'refused', reply: `${JSON.stringify(address)} cannot be said in SMTP` }
    if (!utf8 && !isAscii(address))
      return { kind: 'unfit', lacks: 'SMTPUTF8', reply: `the relay does not take ${address}: it offers no SMTPUTF8` }
  }
  const size = maximumSize ? sizeOf(pieces) : 0
  if (!maximumSize || size <= maximumSize) return undefined
  return {
    kind: 'unfit',
    lacks: 'SIZE',
    reply: `the message has ${size} bytes, and the relay takes at most ${maximumSize}`,
  }
}
