import { messageOf } from '../../errors.ts'
import { oneLine } from '../../mail/reply-rules/reply-text.ts'
import { openTokens } from '../../mail/smtp/auth/oauth2.ts'
import type { TokenStore } from '../../mail/smtp/auth/refresh-token.ts'
import type { Tokens } from '../../mail/smtp/auth/tokens.ts'
import { connect } from '../../mail/smtp/connect.ts'
import type { ReadyMessage } from '../../mail/smtp/envelope.ts'
import type { RelaySettings } from '../../mail/smtp/relay-settings.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import type { SmtpSession } from '../../mail/smtp/smtp-session.ts'

/** The relay serves the session after this many replies of any kind. */
const servedAfter = 3

/** An SMTP session with a limited number of messages, from the settings. */
export class PooledSession {
  readonly smtp: SmtpSession
  readonly #maxMessages: number
  #sent = 0
  #isServed = false

  constructor(smtp: SmtpSession, maxMessages: number) {
    this.smtp = smtp
    this.#maxMessages = maxMessages
  }

  /** Call `recordResult` with each result. */
  send(message: ReadyMessage, next?: ReadyMessage): Promise<SendResult> {
    const isLast = this.#sent + 1 >= this.#maxMessages
    return this.smtp.send(message, isLast ? undefined : next)
  }

  recordResult({ kind }: SendResult): void {
    this.#sent += 1
    this.#isServed ||= kind === 'accepted' || kind === 'refused' || this.#sent >= servedAfter
  }

  /** Whether the relay serves the session: it does not exceed the connection limit. */
  get isServed(): boolean {
    return this.#isServed
  }

  get isUsedUp(): boolean {
    return this.#sent >= this.#maxMessages
  }
}

/**
 * The idle sessions with one relay, and its access tokens. `tokenStore` keeps a refresh token that the endpoint has
 * replaced.
 */
export class SessionPool {
  readonly #settings: RelaySettings
  readonly #tokenStore: TokenStore | undefined
  readonly #idle: PooledSession[] = []
  #tokens: Promise<Tokens | undefined> | undefined

  constructor(settings: RelaySettings, tokenStore?: TokenStore) {
    this.#settings = settings
    this.#tokenStore = tokenStore
  }

  /** An idle session that still works. */
  take(): PooledSession | undefined {
    for (let session = this.#idle.pop(); session; session = this.#idle.pop()) {
      if (!session.smtp.isBroken) return session
      void session.smtp.quit() // closes the socket
    }
    return undefined
  }

  /** Opens a session; `unsent` with the reason if that fails. */
  async open(): Promise<PooledSession | SendResult> {
    const { host, port, messagesPerConnection } = this.#settings
    try {
      this.#tokens ??= openTokens(this.#settings, this.#tokenStore)
      const smtp = await connect(this.#settings, { tokens: await this.#tokens })
      return new PooledSession(smtp, messagesPerConnection)
    } catch (error) {
      const reason = { code: 'no-connection' as const, host, port, message: oneLine(messageOf(error)) }
      return { kind: 'unsent', reply: '', reason }
    }
  }

  /** Takes a session back, and closes it if it cannot send any more. */
  giveBack(session: PooledSession): void {
    const { smtp } = session
    if (smtp.isBroken || smtp.openEnvelope) return void smtp.quit()
    smtp.idle()
    this.#idle.push(session)
  }

  async close(): Promise<void> {
    for (const { smtp } of this.#idle.splice(0)) void smtp.quit()
    await (await this.#tokens)?.close()
  }
}
