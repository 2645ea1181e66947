import type { TokenStore } from '../../mail/smtp/auth/refresh-token.ts'
import { dotStuffed } from '../../mail/smtp/dot-stuffed.ts'
import type { Envelope, ReadyMessage } from '../../mail/smtp/envelope.ts'
import type { RelaySettings } from '../../mail/smtp/relay-settings.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import { RenewingSession } from './renewing-session.ts'
import { SessionPool } from './session-pool.ts'

/** A composed message; DATA needs its dots stuffed. */
export type RawMessage = { envelope: Envelope; raw: Buffer }

/** The SMTP server that we hand messages to. */
export class Relay {
  readonly #sessions: SessionPool

  constructor(settings: RelaySettings, tokenStore?: TokenStore) {
    this.#sessions = new SessionPool(settings, tokenStore)
  }

  /** A session for messages sent one after another; the settings limit the number of connections. */
  session(): RenewingSession {
    return new RenewingSession(this.#sessions)
  }

  /** Hands a single message over. */
  async send(message: RawMessage | ReadyMessage): Promise<SendResult> {
    const session = this.session()
    const result = await session.send(readyMessage(message))
    session.release()
    return result
  }

  close(): Promise<void> {
    return this.#sessions.close()
  }
}

function readyMessage(message: RawMessage | ReadyMessage): ReadyMessage {
  return 'pieces' in message ? message : { envelope: message.envelope, pieces: [dotStuffed(message.raw)] }
}
