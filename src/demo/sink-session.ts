import type { Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { Fault } from './drill-faults.ts'
import { secureServerSocket } from './localhost-tls.ts'

/** Thrown to close the connection without a reply. */
export class ConnectionDropped extends Error {}

const replies = {
  EHLO: '250-drill\r\n250-PIPELINING\r\n250 8BITMIME',
  STAR: '220 2.0.0 ready',
  MAIL: '250 2.1.0 ok',
  RCPT: '250 2.1.5 ok',
  DATA: '354 go ahead',
  QUIT: '221 bye',
}

export type SinkSecurity = 'none' | 'starttls' | 'tls'

type SessionOptions = {
  socket: Socket
  security: SinkSecurity
  secureContext: SecureContext
  faultAt: (verb: string, to: string) => Fault
  /** Stores a whole message. False: the message gets no reply. Throws `ConnectionDropped`. */
  store: (to: string, message: string) => boolean
}

/** The server's side of one connection. */
export class SinkSession {
  readonly #options: SessionOptions
  #socket: Socket
  #secured = false
  #to = ''
  #inData = false
  #silent = false
  #buffered = ''

  constructor(options: SessionOptions) {
    this.#options = options
    this.#socket = options.socket
  }

  start(): void {
    if (this.#options.security === 'tls') this.#secure()
    else this.#listen()
    this.#reply('220 drill ESMTP')
  }

  #secure(): void {
    this.#socket.removeAllListeners('data')
    this.#buffered = ''
    this.#socket = secureServerSocket(this.#socket, this.#options.secureContext)
    this.#secured = true
    this.#listen()
  }

  #listen(): void {
    this.#socket.on('data', (chunk) => {
      this.#buffered += chunk.toString('latin1')
      try {
        this.#readBuffer()
      } catch (error) {
        if (!(error instanceof ConnectionDropped)) throw error
        this.#socket.destroy()
      }
    })
  }

  #readBuffer(): void {
    for (;;) {
      const mark = this.#inData ? '\r\n.\r\n' : '\r\n'
      const end = this.#buffered.indexOf(mark)
      if (end < 0 || this.#silent || this.#socket.destroyed || this.#socket.writableEnded) return
      const piece = this.#buffered.slice(0, end)
      this.#buffered = this.#buffered.slice(end + mark.length)
      if (!this.#inData) this.#command(piece)
      else {
        this.#inData = false
        this.#silent = !this.#options.store(this.#to, piece)
        if (!this.#silent) this.#reply('250 2.0.0 taken')
      }
    }
  }

  #command(line: string): void {
    const verb = line.slice(0, 4).toUpperCase()
    const address = /<([^>]*)>/.exec(line)?.[1] ?? ''
    if (verb === 'MAIL') this.#to = ''
    if (verb === 'DATA' && this.#to === '') return void this.#reply('503 5.5.1 no valid recipient')
    const fault = verb === 'QUIT' ? undefined : this.#options.faultAt(verb, address)
    if (fault === 'drop') throw new ConnectionDropped()
    if (fault?.startsWith('421')) return void this.#socket.end(`${fault}\r\n`)
    if (verb === 'RCPT' && !fault) this.#to = address
    if (verb === 'DATA') this.#inData = true
    this.#reply(fault ?? this.#usualReply(verb))
    if (verb === 'STAR' && !fault) this.#secure()
  }

  #usualReply(verb: string): string {
    const offersTls = this.#options.security === 'starttls' && !this.#secured
    if (verb === 'EHLO' && offersTls) return replies.EHLO.replace('\r\n', '\r\n250-STARTTLS\r\n')
    return verb in replies ? replies[verb as keyof typeof replies] : '250 ok'
  }

  #reply(text: string): void {
    this.#socket.write(`${text}\r\n`)
  }
}
