import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import { oneLine } from '../reply-rules/reply-text.ts'
import {
  type Command,
  type Envelope,
  envelopeCommands,
  invalidEnvelope,
  type Offers,
  type ReadyMessage,
  sizeOf,
} from './envelope.ts'
import { type Reply, ReplyReader } from './reply-reader.ts'
import { isOutOfStep, isPositive, isRefusal, type SendResult, toResult, type Verb, withoutAnswer } from './result.ts'

/** The time for the server to close the connection after QUIT. */
const quitTimeoutMs = 1000

/** The server's answers so far to the commands of one envelope. */
type EnvelopeAnswers = { refusal: SendResult | undefined; hasRecipient: boolean; awaitsMessage: boolean }

/** An envelope that was written after the previous message; `bytes`: the size of its commands. */
type Ahead = { envelope: Envelope; commands: Command[]; bytes: number }

/** A message that is being written; `isOut`: the kernel has all of it. */
type Data = { isOut: boolean; ahead: Ahead | undefined }

/**
 * Sends messages one after another over a connected, secured and authenticated socket (RFC 5321). With PIPELINING (RFC
 * 2920), MAIL, RCPT and DATA share one write, and the next envelope follows the final dot.
 *
 * The server then waits for a message that the caller sends only after it has claimed the delivery. A caller that does
 * not send it must call `quit`; without a first byte there is no message.
 *
 * If the connection is lost after the kernel took the final dot, the server may have the message, and the result is
 * `unknown`; before that it is `cut`. TLS does not show whether the final dot was taken, so a message that was begun is
 * `unknown`. `mask` removes secrets from replies before they are shortened.
 */
export class SmtpSession {
  readonly #socket: Socket
  readonly #offers: Offers
  readonly #mask: (text: string) => string
  readonly #replies: ReplyReader
  /**
   * Node reports a TLS write one turn of the event loop after the kernel took it, so a quick answer may be read first.
   */
  readonly #isEncrypted: boolean
  /** The last transaction failed midway, so RSET comes before the next. */
  #needsReset = false
  #ahead: { envelope: Envelope; answered: Promise<SendResult | undefined> } | undefined

  constructor(socket: Socket, offers: Offers, mask: (text: string) => string = (text) => text) {
    this.#socket = socket
    this.#offers = offers
    this.#mask = mask
    this.#replies = new ReplyReader(socket, mask)
    this.#isEncrypted = socket instanceof TLSSocket
  }

  /** The session can send nothing more. */
  get isBroken(): boolean {
    return this.#socket.destroyed || (!this.#ahead && this.#replies.isBroken)
  }

  /** The envelope that the server already has; only its message can be sent next. */
  get openEnvelope(): Envelope | undefined {
    return this.#ahead?.envelope
  }

  /** Sends the message. With PIPELINING, the envelope of `next`, the probable next message, follows the final dot. */
  async send(message: ReadyMessage, next?: ReadyMessage): Promise<SendResult> {
    const invalid = this.#ahead ? undefined : invalidEnvelope(message, this.#offers)
    if (invalid) return invalid
    let data: Data | undefined
    try {
      const answered = this.#ahead?.answered ?? this.#sendEnvelope(message)
      this.#ahead = undefined
      const refusal = await answered
      if (refusal) return refusal
      data = { isOut: false, ahead: undefined }
      this.#writeData(data, message.pieces, next)
      const reply = await this.#replies.next()
      if (this.#isEncrypted && !data.isOut) await setImmediate()
      return this.#takeFinalAnswer(reply, data.ahead)
    } catch (error) {
      this.#socket.destroy()
      const mayHaveArrived = data && (data.isOut || this.#isEncrypted)
      return withoutAnswer(mayHaveArrived ? 'unknown' : 'cut', error)
    }
  }

  /** Keeps the connection open without a message, and closes it if the server sends anything. */
  idle(): void {
    this.#replies.expectSilence()
  }

  /** Sends QUIT; resolves when the connection is closed. */
  quit(): Promise<void> {
    const socket = this.#socket
    if (socket.closed) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(() => socket.destroy(), quitTimeoutMs).unref()
    socket.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
    this.#replies.ignore()
    if (this.#ahead)
      socket.destroy() // the server waits for a message, and would read QUIT as one
    else if (!socket.destroyed) socket.end('QUIT\r\n')
    return promise
  }

  #commandsFor({ envelope, pieces }: ReadyMessage): Command[] {
    const commands = envelopeCommands(envelope, this.#offers.size ? sizeOf(pieces) : undefined, this.#offers)
    commands.push(['DATA', 'DATA'])
    if (this.#needsReset) commands.unshift(['RSET', 'RSET'])
    return commands
  }

  #sendEnvelope(message: ReadyMessage): Promise<SendResult | undefined> {
    const commands = this.#commandsFor(message)
    if (this.#offers.pipelining) this.#writeCommands(commands)
    return this.#readAnswers(commands)
  }

  /** Returns the number of bytes. */
  #writeCommands(commands: Command[]): number {
    let text = ''
    for (const [, line] of commands) text += `${line}\r\n`
    const bytes = Buffer.from(text)
    this.#socket.write(bytes)
    return bytes.length
  }

  /**
   * Reads the answers to an envelope, and returns a refusal. Without PIPELINING it also writes the commands, one by
   * one.
   */
  async #readAnswers(commands: Command[]): Promise<SendResult | undefined> {
    const { pipelining } = this.#offers
    const answers: EnvelopeAnswers = { refusal: undefined, hasRecipient: false, awaitsMessage: false }
    try {
      for (const [verb, line] of commands) {
        if (!pipelining) this.#socket.write(`${line}\r\n`)
        const next = this.#replies.next()
        this.#takeAnswer(answers, verb, next instanceof Promise ? await next : next)
        if (answers.refusal && (!pipelining || this.#socket.destroyed)) break
      }
      if (answers.refusal && answers.awaitsMessage) await this.#sendNothing(answers)
    } catch (error) {
      if (!answers.refusal) throw error
    }
    if (!answers.refusal) this.#needsReset = false
    return answers.refusal
  }

  #takeAnswer(answers: EnvelopeAnswers, verb: Verb, reply: Reply): void {
    const { code } = reply
    if (verb === 'DATA' ? code === 354 : isPositive(code)) {
      if (verb === 'DATA') answers.awaitsMessage = true
      if (verb === 'RCPT') answers.hasRecipient = true
      return
    }
    if (code === 421 || (!answers.refusal && isOutOfStep(verb, code))) this.#socket.destroy()
    answers.refusal ??= this.#resultOf(verb, reply)
    this.#needsReset = true
  }

  /** Ends DATA: an empty message if there is no recipient (RFC 2920 §3.1), else it closes the connection. */
  async #sendNothing({ hasRecipient }: EnvelopeAnswers): Promise<void> {
    if (hasRecipient) return void this.#socket.destroy()
    this.#socket.write('.\r\n')
    await this.#replies.next()
  }

  /** Writes the message and perhaps the next envelope. */
  #writeData(data: Data, pieces: Buffer[], next: ReadyMessage | undefined): void {
    const socket = this.#socket
    socket.cork() // one write for all
    const last = pieces.length - 1
    for (let index = 0; index < last; index++) socket.write(pieces[index] ?? '')
    socket.write(pieces[last] ?? '', (error) => {
      data.isOut = !error
    })
    data.ahead = this.#writeAhead(next)
    socket.uncork()
  }

  #writeAhead(next: ReadyMessage | undefined): Ahead | undefined {
    if (!next || !this.#offers.pipelining || invalidEnvelope(next, this.#offers)) return undefined
    const commands = this.#commandsFor(next)
    return { envelope: next.envelope, commands, bytes: this.#writeCommands(commands) }
  }

  #takeFinalAnswer(reply: Reply, ahead: Ahead | undefined): SendResult {
    const { code, text } = reply
    const isEarly = this.#socket.writableLength > (ahead?.bytes ?? 0) // it answers unread data: do not trust it
    const isAnswer = code !== 421 && (isPositive(code) || isRefusal(code))
    if (isEarly || !isAnswer) this.#socket.destroy()
    else if (ahead) this.#readAhead(ahead)
    if (!isEarly || code >= 400) return this.#resultOf('dot', reply)
    return { kind: 'unknown', reply: oneLine(this.#mask(text)), reason: { code: 'answered-early' } }
  }

  #readAhead({ envelope, commands }: Ahead): void {
    const answered = this.#readAnswers(commands)
    answered.catch(() => {}) // handled when its message is sent
    this.#ahead = { envelope, answered }
  }

  #resultOf(verb: Verb, { code, text }: Reply): SendResult {
    return toResult(verb, { code, text: this.#mask(text) })
  }
}
