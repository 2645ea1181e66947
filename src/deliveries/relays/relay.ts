import { messageOf } from '../../errors.ts'
import { oneLine } from '../../mail/reply-rules/reply-text.ts'
import { connect, type RelaySettings } from '../../mail/smtp/connect.ts'
import { dotStuffed } from '../../mail/smtp/dot-stuffed.ts'
import { openTokens, type Tokens } from '../../mail/smtp/oauth2.ts'
import type { TokenStore } from '../../mail/smtp/refresh-token.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import type { Envelope, Ready, Wire } from '../../mail/smtp/wire.ts'

/** A message that nobody has made ready. */
export type Outgoing = { envelope: Envelope; raw: Buffer }

export type Relay = {
  /** How many messages may be on their way at once. */
  connections: number
  /** A place for messages that go one after another; there may be as many as there are connections. */
  line(): Line
  /** Hands one message over, for whoever has no more than that. */
  send(message: Outgoing | Ready): Promise<SendResult>
  close(): Promise<void>
}

export type Line = {
  /**
   * Hands one message over. Never throws for what a relay does: its answer is the result. Its bytes are free afterwards.
   * `next` is the message that will probably follow: the relay may hear its envelope already, and nothing else of it.
   */
  send(message: Ready, next?: Ready): Promise<SendResult>
  /** Whether the relay has served the connection that the last message went over: a limit of connections is not met. */
  readonly served: boolean
  /** Closes its connection, which the relay does not serve. */
  discard(): void
  /** Nothing more goes over it for now: its connection may be used by another. */
  release(): void
}

type Connection = { wire: Wire; sent: number; isServed: boolean }

/** After so many answers of any kind the relay serves the connection. */
const servedAfter = 3

/**
 * The SMTP server that we hand messages to. Connections are opened when needed, kept, and renewed after
 * `messagesPerConnection`. `tokenStore` is where a refresh token that its endpoint replaces is kept.
 */
export function openRelay(settings: RelaySettings, tokenStore?: TokenStore): Relay {
  const idle: Connection[] = []
  let tokens: Promise<Tokens | undefined> | undefined
  const tokensOfRelay = () => {
    tokens ??= openTokens(settings, tokenStore)
    return tokens
  }
  const isLast = ({ sent }: Connection) => sent + 1 >= settings.messagesPerConnection

  function line(): Line {
    let own: Connection | undefined
    let isServed = false
    let goodbye: Promise<void> | undefined

    async function sendOver(connection: Connection, message: Ready, next?: Ready): Promise<SendResult> {
      const { wire } = connection
      const result = await wire.send(message, isLast(connection) ? undefined : next)
      connection.sent += 1
      connection.isServed ||= result.kind === 'accepted' || result.kind === 'refused' || connection.sent >= servedAfter
      isServed = connection.isServed
      own = connection
      if (connection.sent >= settings.messagesPerConnection) hangUp()
      return result
    }
    async function sendFresh(message: Ready, next?: Ready): Promise<SendResult> {
      let wire: Wire
      isServed = false
      await goodbye // one that is still open counts where the relay limits connections
      try {
        wire = await connect(settings, { tokens: await tokensOfRelay() })
      } catch (error) {
        return { kind: 'unsent', reply: `${settings.host}:${settings.port}: ${oneLine(messageOf(error))}` }
      }
      return await sendOver({ wire, sent: 0, isServed: false }, message, next)
    }
    function hangUp(): void {
      goodbye = own?.wire.quit()
      own = undefined
    }
    return {
      get served() {
        return isServed
      },
      async send(message, next) {
        const waitsForAnother = own?.wire.opened && own.wire.opened !== message.envelope
        if (own?.wire.broken || waitsForAnother) hangUp()
        const kept = own ?? takeIdle(idle)
        const result = kept && (await sendOver(kept, message, next))
        // A kept connection may have been closed while it was idle: that says nothing about this message.
        return result && result.kind !== 'cut' ? result : await sendFresh(message, next)
      },
      discard: hangUp,
      release() {
        if (own && !own.wire.broken && !own.wire.opened) {
          own.wire.rest()
          idle.push(own)
        } else void own?.wire.quit()
        own = undefined
      },
    }
  }

  return {
    connections: settings.connections,
    line,
    async send(message) {
      const once = line()
      const result = await once.send(ready(message))
      once.release()
      return result
    },
    async close() {
      for (const { wire } of idle.splice(0)) void wire.quit()
      await (await tokens)?.close()
    },
  }
}

function ready(message: Outgoing | Ready): Ready {
  return 'pieces' in message ? message : { envelope: message.envelope, pieces: [dotStuffed(message.raw)] }
}

function takeIdle(idle: Connection[]): Connection | undefined {
  for (let connection = idle.pop(); connection; connection = idle.pop()) {
    if (!connection.wire.broken) return connection
    void connection.wire.quit() // else its socket would stay open
  }
  return undefined
}
