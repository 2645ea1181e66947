import type { ReadyMessage } from '../../mail/smtp/envelope.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import { PooledSession, type SessionPool } from './session-pool.ts'

/**
 * Sends messages one after another, over a session that is opened on demand and renewed when it is used up or broken.
 */
export class RenewingSession {
  readonly #pool: SessionPool
  #session: PooledSession | undefined
  #isServed = false
  #closing: Promise<void> | undefined

  constructor(pool: SessionPool) {
    this.#pool = pool
  }

  /** Whether the relay serves the session of the last message, so that no connection limit is reached. */
  get isServed(): boolean {
    return this.#isServed
  }

  /**
   * Hands one message over; relay errors are returned as the result, never thrown. The buffer is free afterwards; the
   * relay may already receive the envelope of `next`, and nothing else of it.
   */
  async send(message: ReadyMessage, next?: ReadyMessage): Promise<SendResult> {
    const smtp = this.#session?.smtp
    const waitsForAnother = smtp?.openEnvelope && smtp.openEnvelope !== message.envelope
    if (smtp?.isBroken || waitsForAnother) this.discard()
    const kept = this.#session ?? this.#pool.take()
    const result = kept && this.#record(kept, await kept.send(message, next))
    // A kept session may have been closed while idle, which says nothing about this message.
    return result && result.kind !== 'cut' ? result : await this.#sendOverNew(message, next)
  }

  /** Closes the session. */
  discard(): void {
    this.#closing = this.#session?.smtp.quit()
    this.#session = undefined
  }

  /** No message follows for now: another connection may use the session. */
  release(): void {
    if (this.#session) this.#pool.giveBack(this.#session)
    this.#session = undefined
  }

  #record(session: PooledSession, result: SendResult): SendResult {
    session.recordResult(result)
    this.#isServed = session.isServed
    this.#session = session
    if (session.isUsedUp) this.discard()
    return result
  }

  async #sendOverNew(message: ReadyMessage, next?: ReadyMessage): Promise<SendResult> {
    this.#isServed = false
    await this.#closing // an open session counts toward the relay's connection limit
    const opened = await this.#pool.open()
    return opened instanceof PooledSession ? this.#record(opened, await opened.send(message, next)) : opened
  }
}
