import type { Socket } from 'node:net'
import type SMTPConnectionClass from 'nodemailer/lib/smtp-connection'
import type { Config } from '../../config/config.ts'
import { AppError } from '../../errors.ts'
import { ConnectError, explainConnectError, noStartTls, type Progress } from './connect-error.ts'
import { type Waiting, watchGreeting } from './greeting.ts'
import { masker } from './masking.ts'
import { accessToken, type Tokens } from './oauth2.ts'
import { loginFor, passwordForms, passwordOf, tokenForms } from './sign-in.ts'
import { signInReply } from './sign-in-reply.ts'
import { tlsOptions } from './tls-options.ts'
import { type Offers, speakOver, type Wire } from './wire.ts'

/** One relay, as `relay` and each of `relays` describe it. */
export type RelaySettings = Config['relays'][number]

/** Hears the dialogue: each line that the client or the server says, what is secret masked. */
export type Listener = (who: 'client' | 'server', line: string) => void

/** `tokens` are for relays that are signed in to with OAuth 2; `signal` ends the attempt. */
export type ConnectOptions = { tokens?: Tokens | undefined; listener?: Listener; signal?: AbortSignal }

/** A connection that is secured and signed in: what it offers, and its socket, which nobody listens to yet. */
export type Session = { socket: Socket; offers: Offers; mask: (text: string) => string }

/** Connects to the relay, and speaks SMTP over the connection. Throws as `openSession` does. */
export async function connect(settings: RelaySettings, options: ConnectOptions = {}): Promise<Wire> {
  const { socket, offers, mask } = await openSession(settings, options)
  return speakOver(socket, offers, mask) // a reply is kept, and editors read it
}

/**
 * Connects to the relay, secures and authenticates, all by nodemailer's connection, and takes its socket over. Throws
 * AppError, as a rule ConnectError, with one sentence when the relay refuses us, or does not keep what the
 * settings ask of it.
 */
export async function openSession(settings: RelaySettings, options: ConnectOptions = {}): Promise<Session> {
  const { tokens, listener, signal } = options
  const secret = await secretFor(settings, tokens)
  const mask = masker(secret?.forms ?? (() => []))
  let isSigningIn = false
  const shown: Listener = (who, line) =>
    listener?.(who, isSigningIn && who === 'server' ? signInReply(line, secret?.forms() ?? []) : mask(line))
  const smtp = await openClient(settings, listener && shown)
  const inside = smtp as unknown as Inside
  let progress: Progress = { isConnected: true, isGreeted: true }
  smtp.on('error', () => {
    progress = progressOf(inside) // once it is closed, nobody knows any more
  })
  const cancel = () => smtp.close()
  signal?.addEventListener('abort', cancel)
  const greeting = watchGreeting(inside, settings)
  try {
    const limitMs = settings.timeout * 1000 * stepsToGreet
    await Promise.race([untilDone(smtp, limitMs, (done) => smtp.connect(done)), greeting.trouble])
    greeting.stop()
    if (settings.security !== 'none' && !inside.secure) throw noStartTls(settings) // before anything is said that matters
    isSigningIn = true
    if (secret) await signIn(smtp, settings, secret)
    return { ...takeOver(smtp), mask }
  } catch (error) {
    smtp.close()
    const found = tokens?.problem ?? explainConnectError(error, settings, progress)
    throw maskedError(found, mask)
  } finally {
    greeting.stop()
    signal?.removeEventListener('abort', cancel)
  }
}

/** `forms`: how what is secret looks on the wire. */
type Secret = { login: { password: string } | Tokens; forms(): string[] }

/** Before we connect: no relay waits while a token is asked for, or hears of us when there is no password. */
export async function secretFor(settings: RelaySettings, tokens: Tokens | undefined): Promise<Secret | undefined> {
  const { user } = settings
  if (user === undefined) return undefined
  if (tokens) {
    await accessToken(tokens)
    return { login: tokens, forms: () => tokenForms(user, tokens) } // it may be replaced while we sign in
  }
  const password = passwordOf(settings)
  return { login: { password }, forms: () => passwordForms(user, password) }
}

async function openClient(settings: RelaySettings, listener: Listener | undefined): Promise<SMTPConnectionClass> {
  const SMTPConnection = await loadClient()
  const timeout = settings.timeout * 1000
  const smtp = new SMTPConnection({
    host: settings.host,
    port: settings.port,
    secure: settings.security === 'tls',
    ignoreTLS: settings.security === 'none',
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    allowInternalNetworkInterfaces: true,
    tls: tlsOptions(settings),
    ...(settings.helo !== undefined && { name: settings.helo }),
    ...(listener && { logger: loggerTo(listener), transactionLog: true }),
  })
  return smtp
}

/** A token that was refused is not used again, even if it has not run out. */
async function signIn(
  smtp: SMTPConnectionClass,
  settings: RelaySettings,
  { login: secret, forms }: Secret,
): Promise<void> {
  const { _ehloLines: ehlo = [] } = smtp as unknown as Inside
  const login = loginFor(settings, ehlo, secret)
  try {
    await untilDone(smtp, settings.timeout * 1000 * stepsToSignIn, (done) => smtp.login(login, done))
  } catch (error) {
    hideWords(error, forms())
    if ('source' in secret) secret.source.accessToken = false
    throw error
  }
}

/** What a relay says about a sign-in is shown nowhere but in words that are known: not in the log either. */
function hideWords(error: unknown, secrets: string[]): void {
  if (!(error instanceof Error) || !('response' in error) || typeof error.response !== 'string') return
  error.response = signInReply(error.response, secrets)
  error.message = `${error.response}`
  error.stack = `${error.name}: ${error.message}`
}

/** The client takes 50 ms to load: whoever is going to send does it before a message waits. */
export async function loadClient(): Promise<typeof SMTPConnectionClass> {
  return (await import('nodemailer/lib/smtp-connection')).default
}

type Done = (error?: Error | null) => void

/** Connecting, greeting, EHLO, STARTTLS and EHLO again have the timeout of the settings each, and so have three answers of a sign-in. */
const stepsToGreet = 5
const stepsToSignIn = 3

/**
 * Waits for one part of the dialogue, which has `limitMs` in all: a reply that drips is never silent. nodemailer tells of
 * a connection that breaks in it by an event alone.
 */
async function untilDone(smtp: SMTPConnectionClass, limitMs: number, step: (done: Done) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const expire = () => reject(new Error('the relay did not answer in time'))
  const timer = setTimeout(() => setImmediate(() => setImmediate(expire)), limitMs) // what lies in the socket is read first
  const ended = () => reject(new Error('the connection was closed'))
  smtp.once('error', reject)
  smtp.once('end', ended)
  step((error) => (error ? reject(error) : resolve()))
  try {
    await promise
  } finally {
    clearTimeout(timer)
    smtp.removeListener('error', reject)
    smtp.removeListener('end', ended)
  }
}

type Hear = (...given: unknown[]) => void

/** What we lean on inside nodemailer, whose version is pinned: its socket, its listeners, what the server offers. */
type Inside = Waiting & {
  _socket: Socket
  _supportedExtensions: string[]
  /** Bytes; 0 where EHLO names no limit (RFC 1870 §4). */
  _maxAllowedSize: number
  /** The answer to EHLO without its first line; undefined after HELO. */
  _ehloLines?: string[]
  /** Whether the connection is encrypted. */
  secure: boolean
} & Record<(typeof heard)[number][1], Hear>

/** A TLS socket is `connecting` until its TCP connection stands. */
function progressOf({ _socket: socket, lastServerResponse }: Waiting): Progress {
  return { isConnected: socket !== false && !socket.connecting, isGreeted: lastServerResponse !== false }
}

function maskedError(error: AppError, mask: (text: string) => string): AppError {
  const message = mask(error.message)
  const { response = '' } = (error.cause ?? {}) as { response?: string } // longer than what the message has of it
  if (message === error.message && mask(response) === response) return error
  const change = error instanceof ConnectError ? error.change : undefined
  return new ConnectError(message, { change })
}

const heard = [
  ['data', '_onSocketData'],
  ['error', '_onSocketError'],
  ['close', '_onSocketClose'],
  ['end', '_onSocketEnd'],
  ['timeout', '_onSocketTimeout'],
] as const

/** Takes the socket out of nodemailer's hands: from here on the protocol is ours. */
function takeOver(smtp: SMTPConnectionClass): Pick<Session, 'socket' | 'offers'> {
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
    ...(inside._maxAllowedSize > 0 && { maximumSize: inside._maxAllowedSize }),
  }
  return { socket, offers }
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
