import { oneLine } from '../reply-rules/reply-text.ts'
import type { Listener, Session } from './connect.ts'
import { type Replies, type Reply, readReplies } from './replies.ts'

/** `size`: bytes of the message; undefined where that is not known. */
export type TrialEnvelope = { from: string; to: string; size: number | undefined }

/** The answer that ends an envelope. */
export type EnvelopeReply = { verb: 'MAIL' | 'RCPT'; code: number; text: string }

/** A connection over which envelopes are said and no message follows. */
export class EnvelopeTrial {
  readonly #session: Session
  readonly #listener: Listener | undefined
  readonly #replies: Replies

  constructor(session: Session, listener?: Listener) {
    this.#session = session
    this.#listener = listener
    this.#replies = readReplies(session.socket, session.mask)
  }

  /** Bytes that a message may have at most; undefined where the relay names no limit. */
  get maximumSize(): number | undefined {
    return this.#session.offers.maximumSize
  }

  /** Says MAIL and RCPT as sending does. Returns the refusal, or undefined if both were taken; throws if the connection breaks. */
  async say({ from, to, size }: TrialEnvelope): Promise<EnvelopeReply | undefined> {
    const { utf8, size: takesSize } = this.#session.offers
    const sizes = takesSize && size !== undefined ? ` SIZE=${size}` : ''
    const script = utf8 && !/^[\x20-\x7e]*$/.test(from + to) ? ' SMTPUTF8' : ''
    return (
      (await this.#refusal('MAIL', `MAIL FROM:<${from}>${sizes}${script}`)) ??
      (await this.#refusal('RCPT', `RCPT TO:<${to}>`))
    )
  }

  /** Takes the envelope back. */
  async reset(): Promise<void> {
    await this.#command('RSET')
  }

  quit(): void {
    const { socket } = this.#session
    if (socket.destroyed) return
    this.#replies.leave()
    this.#listener?.('client', 'QUIT')
    socket.end('QUIT\r\n')
    socket.setTimeout(1000, () => socket.destroy())
  }

  async #refusal(verb: EnvelopeReply['verb'], line: string): Promise<EnvelopeReply | undefined> {
    const { code, text } = await this.#command(line)
    return code >= 200 && code < 300 ? undefined : { verb, code, text: oneLine(text) }
  }

  async #command(line: string): Promise<Reply> {
    this.#listener?.('client', line)
    this.#session.socket.write(`${line}\r\n`)
    const { code, text: said } = await this.#replies.next()
    const text = this.#session.mask(said)
    for (const line of text.split('\n')) this.#listener?.('server', line)
    return { code, text }
  }
}
