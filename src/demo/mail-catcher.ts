import type { Server } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { createAdaptorServer } from '@hono/node-server'
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'
import { messageOf } from '../errors.ts'
import { catcherApp } from './catcher-pages.ts'
import { type CaughtMail, type CaughtSummary, openCaughtMail, toSummary } from './caught-mail.ts'
import { closeServer, listen, loopbackHost } from './listen.ts'

export type MailCatcher = {
  smtp: { host: string; port: number }
  /** The page that lists the messages, without a slash at the end. */
  url: string
  /** Counts each recipient of each accepted message. */
  count(): number
  /** The copies after the first one for each recipient and Message-ID. */
  duplicates(): number
  /** Newest first; the newest 5,000. */
  messages(): CaughtSummary[]
  close(): Promise<void>
}

/**
 * Starts an SMTP server that delivers nothing, and pages that show its messages. With `mailDir`, each message is also
 * written to a file there and synced before the server replies.
 */
export async function startMailCatcher(
  options: { smtpPort?: number; webPort?: number; mailDir?: string } = {},
): Promise<MailCatcher> {
  const mail = await openCaughtMail(options.mailDir)
  const smtp = smtpServer(mail)
  const port = await listen(smtp.server, options.smtpPort ?? 0)
  const web = createAdaptorServer({ fetch: (await catcherApp(mail)).fetch }) as Server
  try {
    return {
      smtp: { host: loopbackHost, port },
      url: `http://${loopbackHost}:${await listen(web, options.webPort ?? 0)}`,
      count: mail.count,
      duplicates: mail.duplicates,
      messages: () => mail.newestFirst().map(toSummary),
      close: async () => {
        await Promise.all([closeSmtp(smtp), closeServer(web)])
      },
    }
  } catch (error) {
    await closeSmtp(smtp)
    throw error
  }
}

const megabyte = 1024 * 1024

function smtpServer(mail: CaughtMail): SMTPServer {
  const server = new SMTPServer({
    banner: 'Lastword mail catcher: nothing leaves this machine',
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: 50 * megabyte,
    closeTimeout: 1000,
    onData: (stream, session, reply) => {
      catchMessage(mail, stream, session).then(
        () => reply(),
        (error: Error) => reply(error),
      )
    },
  })
  server.on('error', () => {}) // of clients that hang up; `listen` reports a failed start
  return server
}

async function catchMessage(mail: CaughtMail, stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
  const raw = await buffer(stream)
  if (stream.sizeExceeded) throw refusal(552, 'The message is larger than 50 MB')
  const { mailFrom, rcptTo } = session.envelope
  const envelope = { from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address) }
  try {
    await mail.store(envelope, raw)
  } catch (error) {
    throw refusal(451, `The message could not be stored: ${messageOf(error)}`)
  }
}

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message.replace(/[\r\n]+/g, ' ')), { responseCode })
}

function closeSmtp(server: SMTPServer): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
