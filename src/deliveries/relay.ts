import { Readable } from 'node:stream'
import type SMTPConnectionClass from 'nodemailer/lib/smtp-connection'
import type { Config } from '../config.ts'
import { messageOf } from '../errors.ts'
import type { SendResult } from './delivery.ts'

export type Outgoing = { envelope: { from: string; to: string }; raw: Buffer }

export type Relay = {
  /** How many messages may be on their way at once. */
  connections: number
  /** Hands one message over. Never throws for what a relay does: its answer is the result. */
  send(message: Outgoing): Promise<SendResult>
  close(): void
}

type Connection = { smtp: SMTPConnectionClass; sent: number; broken: boolean }
type SmtpError = Error & { code?: string; responseCode?: number; response?: string; command?: string }

/**
 * The SMTP server that we hand messages to (RFC 5321), over nodemailer's own connections. Connections are opened when
 * needed, kept, and renewed after `messagesPerConnection`.
 */
export function openRelay(options: Config['relay']): Relay {
  const idle: Connection[] = []
  const sendFresh = async (message: Outgoing): Promise<SendResult> => {
    try {
      return await sendAndKeep(await connect(options), message)
    } catch (error) {
      return { kind: 'unsent', reply: `${options.host}:${options.port}: ${oneLine(messageOf(error))}` }
    }
  }
  const sendAndKeep = async (connection: Connection, message: Outgoing): Promise<SendResult> => {
    const result = await sendOver(connection, message)
    if (connection.broken || ++connection.sent >= options.messagesPerConnection) connection.smtp.quit()
    else idle.push(connection)
    return result
  }
  return {
    connections: options.connections,
    async send(message) {
      const kept = takeIdle(idle)
      const result = kept && (await sendAndKeep(kept, message))
      // A kept connection may have been closed while it was idle: that says nothing about this message.
      return result && result.kind !== 'cut' ? result : await sendFresh(message)
    },
    close() {
      for (const { smtp } of idle.splice(0)) smtp.quit()
    },
  }
}

function takeIdle(idle: Connection[]): Connection | undefined {
  for (let connection = idle.pop(); connection; connection = idle.pop()) if (!connection.broken) return connection
  return undefined
}

async function connect(options: Config['relay']): Promise<Connection> {
  const { default: SMTPConnection } = await import('nodemailer/lib/smtp-connection')
  const smtp = new SMTPConnection({
    host: options.host,
    port: options.port,
    secure: options.security === 'tls',
    requireTLS: options.security === 'starttls',
    ignoreTLS: options.security === 'none',
    connectionTimeout: options.timeout * 1000,
    greetingTimeout: options.timeout * 1000,
    socketTimeout: options.timeout * 1000,
    allowInternalNetworkInterfaces: true,
  })
  const connection: Connection = { smtp, sent: 0, broken: false }
  const breaks = () => {
    connection.broken = true
  }
  smtp.on('error', breaks)
  smtp.once('end', breaks)
  try {
    await untilDone(smtp, (done) => smtp.connect(done))
    const { user, password = '' } = options
    if (user !== undefined) await untilDone(smtp, (done) => smtp.login({ user, pass: password }, done))
  } catch (error) {
    smtp.close()
    throw error
  }
  return connection
}

type Done = (error?: Error | null) => void

/** Waits for one step of the dialogue. nodemailer tells of a connection that breaks in it by an event alone. */
async function untilDone(smtp: SMTPConnectionClass, step: (done: Done) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const ended = () => reject(new Error('the connection was closed'))
  smtp.once('error', reject)
  smtp.once('end', ended)
  step((error) => (error ? reject(error) : resolve()))
  try {
    await promise
  } finally {
    smtp.removeListener('error', reject)
    smtp.removeListener('end', ended)
  }
}

async function sendOver(connection: Connection, { envelope, raw }: Outgoing): Promise<SendResult> {
  // A stream of one piece: whether nodemailer has read it to its end says on which side of the final dot a cut was.
  const body = Readable.from([raw], { objectMode: false })
  const result = await new Promise<SendResult>((resolve) => {
    connection.smtp.send({ from: envelope.from, to: [envelope.to], size: raw.length }, body, (error, info) => {
      resolve(
        error ? fromError(error as SmtpError, body.readableEnded) : { kind: 'accepted', reply: info?.response ?? '' },
      )
    })
  })
  if (result.kind === 'cut' || result.kind === 'unknown') connection.broken = true
  else if (result.kind !== 'accepted') await resetAfter(connection)
  return result
}

/** An answer about the person is theirs; one about us, or about the connection (421, or none), is not. */
function fromError(error: SmtpError, messageWhole: boolean): SendResult {
  const reply = oneLine(error.response ?? messageOf(error))
  const { responseCode, command } = error
  if (responseCode === undefined) {
    if (error.code === 'EENVELOPE') return { kind: 'refused', reply } // an address that cannot be said in SMTP
    return { kind: messageWhole ? 'unknown' : 'cut', reply }
  }
  if (responseCode === 421) return { kind: 'cut', reply } // RFC 5321 §3.8: the server closes, the message is not taken
  if (responseCode < 500) return { kind: command === 'MAIL FROM' ? 'cut' : 'deferred', reply }
  return { kind: isAboutUs(responseCode, command, reply) ? 'rejected' : 'refused', reply }
}

/** Authentication (530, 535), anything said to MAIL FROM, security and policy (5.7.x) and size (5.3.4, 552): RFC 3463. */
function isAboutUs(code: number, command: string | undefined, reply: string): boolean {
  return (
    command === 'MAIL FROM' || code === 530 || code === 535 || code === 552 || /^\d{3}[ -]5\.(7\.\d|3\.4\b)/.test(reply)
  )
}

/** Ends the transaction that failed, so that the next one starts clean. */
async function resetAfter(connection: Connection): Promise<void> {
  try {
    await untilDone(connection.smtp, (done) => connection.smtp.reset(done))
  } catch {
    connection.broken = true
  }
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ').slice(0, 1000)
}
