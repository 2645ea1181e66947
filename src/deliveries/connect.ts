import type { Socket } from 'node:net'
import type SMTPConnectionClass from 'nodemailer/lib/smtp-connection'
import type { Config } from '../config.ts'
import { AppError } from '../errors.ts'
import { secretIn } from '../secret-file.ts'
import type { Tokens } from './oauth2.ts'
import { type Offers, speakOver, type Wire } from './wire.ts'

/** One relay, as `relay` and each of `relays` describe it. */
export type RelaySettings = Config['relays'][number]

/** Hears the dialogue: each line that the client or the server says, what is secret masked. */
export type Listener = (who: 'client' | 'server', line: string) => void

/**
 * Connects to the relay, secures and authenticates, all by nodemailer's connection, and takes its socket over.
 * Throws when the relay will not have us, or does not keep what the settings ask of it. `tokens` are for relays that are
 * signed in to with OAuth 2.
 */
export async function connect(
  settings: RelaySettings,
  { tokens, listener }: { tokens?: Tokens | undefined; listener?: Listener } = {},
): Promise<Wire> {
  const SMTPConnection = await loadClient()
  const timeout = settings.timeout * 1000
  const smtp = new SMTPConnection({
    host: settings.host,
    port: settings.port,
    secure: settings.security === 'tls',
    requireTLS: settings.security === 'starttls',
    ignoreTLS: settings.security === 'none',
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    allowInternalNetworkInterfaces: true,
    ...(listener && { logger: loggerTo(listener), transactionLog: true }),
  })
  smtp.on('error', () => {})
  try {
    await untilDone(smtp, (done) => smtp.connect(done))
    await signIn(smtp, settings, tokens)
    return takeOver(smtp)
  } catch (error) {
    smtp.close()
    throw error
  }
}

/** A token that was refused is not used again, even if it has not run out. */
async function signIn(smtp: SMTPConnectionClass, settings: RelaySettings, tokens: Tokens | undefined): Promise<void> {
  const { user } = settings
  if (user === undefined) return
  if (!tokens) {
    const { password, passwordFile } = settings
    const pass = password ?? (passwordFile === undefined ? '' : secretIn(passwordFile, 'passwordFile'))
    return await untilDone(smtp, (done) => smtp.login({ user, pass }, done))
  }
  try {
    await untilDone(smtp, (done) => smtp.login({ user, oauth2: tokens.source }, done))
  } catch (error) {
    tokens.source.accessToken = false
    throw error
  }
}

/** The client takes 50 ms to load: whoever is going to send does it before a message waits. */
export async function loadClient(): Promise<typeof SMTPConnectionClass> {
  return (await import('nodemailer/lib/smtp-connection')).default
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

type Hear = (...given: unknown[]) => void

/** What we lean on inside nodemailer, whose version is pinned: its socket, its listeners, what the server offers. */
type Inside = { _socket: Socket; _supportedExtensions: string[] } & Record<(typeof heard)[number][1], Hear>

const heard = [
  ['data', '_onSocketData'],
  ['error', '_onSocketError'],
  ['close', '_onSocketClose'],
  ['end', '_onSocketEnd'],
  ['timeout', '_onSocketTimeout'],
] as const

/** Takes the socket out of nodemailer's hands: from here on the protocol is ours. */
function takeOver(smtp: SMTPConnectionClass): Wire {
  const { _socket: socket, _supportedExtensions: extensions, ...inside } = smtp as unknown as Inside
  for (const [event, name] of heard) {
    const before = socket.listenerCount(event)
    socket.removeListener(event, inside[name])
    if (socket.listenerCount(event) !== before - 1) {
      throw new AppError(
        'internal',
        `nodemailer does not listen to ${event} as it did: its version is not the pinned one`,
      )
    }
  }
  const offers: Offers = {
    pipelining: extensions.includes('PIPELINING'),
    utf8: extensions.includes('SMTPUTF8'),
    size: extensions.includes('SIZE'),
  }
  return speakOver(socket, offers)
}

/** nodemailer's log as a dialogue. */
function loggerTo(listener: Listener) {
  const hear = (entry: unknown, ...given: unknown[]) => {
    const { tnx } = (entry ?? {}) as { tnx?: string }
    if (tnx !== 'client' && tnx !== 'server') return
    for (const line of String(given[0]).split(/\r?\n/)) listener(tnx, line)
  }
  return { level: () => {}, trace: hear, debug: hear, info: hear, warn: hear, error: hear, fatal: hear }
}
