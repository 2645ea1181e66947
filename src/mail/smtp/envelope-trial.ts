import { oneLine } from '../reply-rules/reply-text.ts'
import type { Connection } from './connect.ts'
import { type Envelope, envelopeCommands } from './envelope.ts'
import type { Listener } from './listener.ts'
import { type Reply, ReplyReader } from './reply-reader.ts'
import { isPositive, type Verb } from './result.ts'

/** `size`: the message in bytes; undefined if unknown. */
export type TrialEnvelope = Envelope & { size: number | undefined }

/** The answer that ends an envelope. */
export type EnvelopeReply = { verb: Verb; code: number; text: string }

/** A connection for trying envelopes without a message. */
export class EnvelopeTrial {
  readonly #connection: Connection
  readonly #listener: Listener | undefined
  readonly #replies: ReplyReader

  constructor(connection: Connection, listener?: Listener) {
    this.#connection = connection
    this.#listener = listener
    this.#replies = new ReplyReader(connection.socket, connection.mask)
  }

  /** The maximum size of a message in bytes; undefined if the relay names no limit. */
  get maximumSize(): number | undefined {
    return this.#connection.offers.maximumSize
  }

  /** Sends MAIL and RCPT as for a message. Returns the refusal, if any; throws if the connection is lost. */
  async try({ size, ...envelope }: TrialEnvelope): Promise<EnvelopeReply | undefined> {
    for (const [verb, line] of envelopeCommands(envelope, size, this.#connection.offers)) {
      const { code, text } = await this.#command(line)
      if (!isPositive(code)) return { verb, code, text: oneLine(text) }
    }
    return undefined
  }

  /** Discards the envelope with RSET. */
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
