import { messageOf } from '../errors.ts'
import { connect, type RelaySettings } from './connect.ts'
import { oneLine, type SendResult } from './delivery.ts'
import { dotStuffed } from './dot-stuffed.ts'
import type { Wire } from './wire.ts'

/** `wire` is `raw` as DATA wants it, with the final dot, where whoever made the message made that too. */
export type Outgoing = { envelope: { from: string; to: string }; raw: Buffer; wire?: Buffer }

export type Relay = {
  /** How many messages may be on their way at once. */
  connections: number
  /** Hands one message over. Never throws for what a relay does: its answer is the result. Its bytes are free afterwards. */
  send(message: Outgoing): Promise<SendResult>
  close(): void
}

type Connection = { wire: Wire; sent: number }

/**
 * The SMTP server that we hand messages to. Connections are opened when needed, kept, and renewed after
 * `messagesPerConnection`.
 */
export function openRelay(settings: RelaySettings): Relay {
  const idle: Connection[] = []
  const sendFresh = async (message: Outgoing): Promise<SendResult> => {
    let wire: Wire
    try {
      wire = await connect(settings)
    } catch (error) {
      return { kind: 'unsent', reply: `${settings.host}:${settings.port}: ${oneLine(messageOf(error))}` }
    }
    return await sendAndKeep({ wire, sent: 0 }, message)
  }
  const sendAndKeep = async (connection: Connection, message: Outgoing): Promise<SendResult> => {
    const { wire } = connection
    const result = await wire.send(message.envelope, message.wire ?? dotStuffed(message.raw))
    if (++connection.sent >= settings.messagesPerConnection) wire.quit()
    else if (!wire.broken) idle.push(connection)
    return result
  }
  return {
    connections: settings.connections,
    async send(message) {
      const kept = takeIdle(idle)
      const result = kept && (await sendAndKeep(kept, message))
      // A kept connection may have been closed while it was idle: that says nothing about this message.
      return result && result.kind !== 'cut' ? result : await sendFresh(message)
    },
    close() {
      for (const { wire } of idle.splice(0)) wire.quit()
    },
  }
}

function takeIdle(idle: Connection[]): Connection | undefined {
  for (let connection = idle.pop(); connection; connection = idle.pop()) if (!connection.wire.broken) return connection
  return undefined
}
