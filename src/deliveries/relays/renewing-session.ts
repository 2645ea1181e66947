import type { ReadyMessage } from '../../mail/smtp/envelope.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import { PooledSession, type SessionPool } from './session-pool.ts'

/** Sends messages one after another, over a session that is opened when needed and renewed when it is used up or broken. */
export class RenewingSession {
  readonly #pool: SessionPool
  #session: PooledSession | undefined
  #isServed = false
  #closing: Promise<void> | undefined

  constructor(pool: SessionPool) {
    this.#pool = pool
  }

  /** Whether the relay serves the session that the last message went over: no limit of connections is met. */
  get isServed(): boolean {
    return this.#isServed
  }

  /**
   * Hands one message over. Never throws for what a relay does: its answer is the result. Its bytes are free afterwards.
   * `next` will probably follow: the relay may hear its envelope already, and nothing else of it.
   */
  async send(message: ReadyMessage, next?: ReadyMessage): Promise<SendResult> {
    const smtp = this.#session?.smtp
    const waitsForAnother = smtp?.openEnvelope && smtp.openEnvelope !== message.envelope
    if (smtp?.isBroken || waitsForAnother) this.discard()
    const kept = this.#session ?? this.#pool.take()
    const result = kept && (await this.#sendOver(kept, message, next))
    // A kept session may have been closed while it was idle: that says nothing about this message.
    return result && result.kind !== 'cut' ? result : await this.#sendOverNew(message, next)
  }

  /** Closes the session. */
  discard(): void {
    this.#closing = this.#session?.smtp.quit()
    this.#session = undefined
  }

  /** No message follows for now: another may use the session. */
  release(): void {
    if (this.#session) this.#pool.giveBack(this.#session)
    this.#session = undefined
  }

  async #sendOver(session: PooledSession, message: ReadyMessage, next?: ReadyMessage): Promise<SendResult> {
    const result = await session.send(message, next)
    this.#isServed = session.isServed
    this.#session = session
    if (session.isUsedUp) this.discard()
    return result
  }

  async #sendOverNew(message: ReadyMessage, next?: ReadyMessage): Promise<SendResult> {
    this.#isServed = false
    await this.#closing // a session that is still open counts where the relay limits connections
    const opened = await this.#pool.open()
    return opened instanceof PooledSession ? await this.#sendOver(opened, message, next) : opened
  }
}
