import { oneLine } from '../reply-rules/reply-text.ts'
import type { Connection } from './connect.ts'
import { type Envelope, envelopeCommands } from './envelope.ts'
import type { Listener } from './listener.ts'
import { type Reply, ReplyReader } from './reply-reader.ts'
import type { Verb } from './result.ts'

/** `size`: bytes of the message; undefined where that is not known. */
export type TrialEnvelope = Envelope & { size: number | undefined }

/** The answer that ends an envelope. */
export type EnvelopeReply = { verb: Verb; code: number; text: string }

/** A connection that envelopes are tried over, without a message. */
export class EnvelopeTrial {
  readonly #connection: Connection
  readonly #listener: Listener | undefined
  readonly #replies: ReplyReader

  constructor(connection: Connection, listener?: Listener) {
    this.#connection = connection
    this.#listener = listener
    this.#replies = new ReplyReader(connection.socket, connection.mask)
  }

  /** Bytes that a message may have at most; undefined where the relay names no limit. */
  get maximumSize(): number | undefined {
    return this.#connection.offers.maximumSize
  }

  /** Sends MAIL and RCPT as sending does. Returns the refusal, or undefined if both were taken; throws if the connection breaks. */
  async try({ size, ...envelope }: TrialEnvelope): Promise<EnvelopeReply | undefined> {
    for (const [verb, line] of envelopeCommands(envelope, size, this.#connection.offers)) {
      const { code, text } = await this.#command(line)
      if (code < 200 || code >= 300) return { verb, code, text: oneLine(text) }
    }
    return undefined
  }

  /** Takes the envelope back. */
  async reset(): Promise<void> {
    await this.#command('RSET')
  }

  quit(): void {
    const { socket } = this.#connection
    if (socket.destroyed) return
    this.#replies.ignore()
    this.#listener?.('client', 'QUIT')
    socket.end('QUIT\r\n')
    socket.setTimeout(1000, () => socket.destroy())
  }

  async #command(line: string): Promise<Reply> {
    this.#listener?.('client', line)
    this.#connection.socket.write(`${line}\r\n`)
    const { code, text: said } = await this.#replies.next()
    const text = this.#connection.mask(said)
    for (const line of text.split('\n')) this.#listener?.('server', line)
    return { code, text }
  }
}
