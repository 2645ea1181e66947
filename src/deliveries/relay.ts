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
  const send = async (message: Outgoing): Promise<SendResult> => {
    const connection = await takeConnection(idle, options)
    if ('kind' in connection) return connection
    const result = await sendOver(connection, message)
    if (connection.broken || ++connection.sent >= options.messagesPerConnection) connection.smtp.quit()
    else idle.push(connection)
    return result
  }
  return {
    connections: options.connections,
    send,
    close() {
      for (const { smtp } of idle.splice(0)) smtp.quit()
    },
  }
}

async function takeConnection(idle: Connection[], options: Config['relay']): Promise<Connection | SendResult> {
  for (let connection = idle.pop(); connection; connection = idle.pop()) if (!connection.broken) return connection
  try {
    return await connect(options)
  } catch (error) {
    return { kind: 'unsent', reply: `${options.host}:${options.port}: ${messageOf(error)}` }
  }
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
  await new Promise<void>((resolve, reject) => {
    smtp.once('error', reject)
    smtp.connect((error) => (error ? reject(error) : resolve()))
  })
  smtp.on('error', () => {
    connection.broken = true
  })
  smtp.once('end', () => {
    connection.broken = true
  })
  if (options.user !== undefined) await logIn(smtp, options.user, options.password ?? '')
  return connection
}

function logIn(smtp: SMTPConnectionClass, user: string, pass: string): Promise<void> {
  return new Promise((resolve, reject) => {
    smtp.login({ user, pass }, (error) => (error ? reject(error) : resolve()))
  })
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
  if (result.kind === 'unsent' || result.kind === 'unknown') connection.broken = true
  else if (result.kind !== 'accepted') await resetAfter(connection)
  return result
}

/** An answer about the person is theirs; one about the connection (421, no answer) is not. RFC 5321 §4.2.1, §3.8. */
function fromError(error: SmtpError, messageWhole: boolean): SendResult {
  const reply = oneLine(error.response ?? messageOf(error))
  const { responseCode, command } = error
  if (responseCode === undefined || responseCode === 421) {
    if (error.code === 'EENVELOPE' && responseCode === undefined) return { kind: 'refused', reply }
    const answered = responseCode !== undefined
    return { kind: messageWhole && !answered ? 'unknown' : 'unsent', reply }
  }
  if (responseCode >= 500 && command === 'MAIL FROM') return { kind: 'unsent', reply } // about us, not about them
  return { kind: responseCode >= 500 ? 'refused' : 'deferred', reply }
}

/** Ends the transaction that failed, so that the next one starts clean. */
function resetAfter(connection: Connection): Promise<void> {
  return new Promise((resolve) => {
    connection.smtp.once('end', resolve)
    connection.smtp.reset((error) => {
      if (error) connection.broken = true
      resolve()
    })
  })
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ').slice(0, 1000)
}
