import type { Socket } from 'node:net'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import { AppError } from '../../errors.ts'
import type { Progress } from './connect-error.ts'
import type { Offers } from './envelope.ts'
import type { Listener } from './listener.ts'
import { afterPendingReads } from './pending-reads.ts'
import type { RelaySettings } from './relay-settings.ts'
import { tlsOptions } from './tls-options.ts'

export type Login = Parameters<SMTPConnection['login']>[0]

/** The private members of nodemailer's connection that we use. Its version is pinned. */
type Internals = {
  /** False before the socket exists. */
  _socket: Socket | false
  /** The start of an incomplete line. */
  _remainder: string
  /** False before the greeting. */
  lastServerResponse: string | false
  _supportedExtensions: string[]
  /** Bytes; 0 if EHLO names no limit (RFC 1870 §4). */
  _maxAllowedSize: number
  /** The answer to EHLO without the first line; undefined after HELO. */
  _ehloLines?: string[]
  secure: boolean
} & Record<(typeof socketListeners)[number][1], (...given: unknown[]) => void>

const socketListeners = [
  ['data', '_onSocketData'],
  ['error', '_onSocketError'],
  ['close', '_onSocketClose'],
  ['end', '_onSocketEnd'],
  ['timeout', '_onSocketTimeout'],
] as const

type Done = (error?: Error | null) => void

/** Each step may take the timeout: connecting, greeting, EHLO, STARTTLS, EHLO again; each of three sign-in answers. */
const stepsToGreet = 5
const stepsToSignIn = 3

/**
 * Connects, secures and signs in with nodemailer, and then takes over its socket, since nodemailer cannot pipeline
 * (RFC 2920). nodemailer has no public API for this, so only this class reads its private members.
 */
export class NodemailerClient {
  readonly #smtp: SMTPConnection
  readonly #internals: Internals
  readonly #timeoutMs: number
  #progress: Progress = { isConnected: true, isGreeted: true }

  private constructor(smtp: SMTPConnection, timeoutMs: number) {
    this.#smtp = smtp
    this.#internals = smtp as unknown as Internals
    this.#timeoutMs = timeoutMs
    smtp.on('error', () => {
      this.#progress = this.#progressNow() // unknown once the connection is closed
    })
  }

  static async open(settings: RelaySettings, listener: Listener | undefined): Promise<NodemailerClient> {
    const SMTPConnection = await loadNodemailer()
    const timeoutMs = settings.timeout * 1000
    const smtp = new SMTPConnection({
      host: settings.host,
      port: settings.port,
      secure: settings.security === 'tls',
      ignoreTLS: settings.security === 'none',
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      allowInternalNetworkInterfaces: true,
      ...(settings.security !== 'none' && { tls: tlsOptions(settings) }), // which takes 50 ms
      ...(settings.helo !== undefined && { name: settings.helo }),
      ...(listener && { logger: loggerTo(listener), transactionLog: true }),
    })
    return new NodemailerClient(smtp, timeoutMs)
  }

  get socket(): Socket | undefined {
    return this.#internals._socket || undefined
  }

  get isGreeted(): boolean {
    return this.#internals.lastServerResponse !== false
  }

  get isEncrypted(): boolean {
    return this.#internals.secure
  }

  /** The received part of an incomplete line. */
  get partialLine(): string {
    return this.#internals._remainder
  }

  /** The lines of the answer to EHLO. */
  get ehloLines(): string[] {
    return this.#internals._ehloLines ?? []
  }

  /** The progress of the connection when it failed. */
  get progress(): Progress {
    return this.#progress
  }

  connect(): Promise<void> {
    return this.#run(stepsToGreet, (done) => this.#smtp.connect(done))
  }

  login(login: Login): Promise<void> {
    return this.#run(stepsToSignIn, (done) => this.#smtp.login(login, done))
  }

  close(): void {
    this.#smtp.close()
  }

  /**
   * Returns the socket without nodemailer's listeners, and the offers. Throws AppError `internal` if nodemailer
   * changed.
   */
  takeSocket(): { socket: Socket; offers: Offers } {
    const { _supportedExtensions: extensions, _maxAllowedSize: maximumSize } = this.#internals
    const socket = this.#internals._socket as Socket
    for (const [event, name] of socketListeners) {
      const before = socket.listenerCount(event)
      socket.removeListener(event, this.#internals[name])
      if (socket.listenerCount(event) !== before - 1)
        throw new AppError(
          'internal',
          `nodemailer has no listener ${name} for ${event}: its version is not the pinned one`,
        )
    }
    const offers: Offers = {
      pipelining: extensions.includes('PIPELINING'),
      utf8: extensions.includes('SMTPUTF8'),
      size: extensions.includes('SIZE'),
      ...(maximumSize > 0 && { maximumSize }),
    }
    return { socket, offers }
  }

  /**
   * Runs one part of the dialogue with a total time limit, since single bytes prevent a silence timeout. nodemailer
   * reports a lost connection only with an event.
   */
  async #run(steps: number, start: (done: Done) => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const expire = () => reject(new Error('the relay did not answer in time'))
    const timer = setTimeout(() => afterPendingReads(expire), steps * this.#timeoutMs)
    const ended = () => reject(new Error('the connection was closed'))
    this.#smtp.once('error', reject)
    this.#smtp.once('end', ended)
    start((error) => (error ? reject(error) : resolve()))
    try {
      await promise
    } finally {
      clearTimeout(timer)
      this.#smtp.removeListener('error', reject)
      this.#smtp.removeListener('end', ended)
    }
  }

  /** A TLS socket is `connecting` until its TCP connection is open. */
  #progressNow(): Progress {
    const { socket } = this
    return { isConnected: socket !== undefined && !socket.connecting, isGreeted: this.isGreeted }
  }
}

/** nodemailer takes 50 ms to load, so a sender loads it before a message waits. */
export async function loadNodemailer(): Promise<typeof SMTPConnection> {
  return (await import('nodemailer/lib/smtp-connection')).default
}

/** A logger for nodemailer that passes the dialogue to the listener. */
function loggerTo(listener: Listener) {
  const log = (entry: unknown, ...given: unknown[]) => {
    const { tnx } = (entry ?? {}) as { tnx?: string }
    if (tnx !== 'client' && tnx !== 'server') return
    for (const line of String(given[0]).split(/\r?\n/)) listener(tnx, line)
  }
  return { level: () => {}, trace: log, debug: log, info: log, warn: log, error: log, fatal: log }
}
