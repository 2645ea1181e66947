import { createServer, type Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import { localhostContext, secureServerSocket } from './localhost-tls.ts'

/** What the sink has seen of one recipient. `answered` is false for a message that was whole and got no answer. */
export type ReceivedMessage = { messageId: string; answered: boolean }

export type DrillSink = {
  port: number
  /** By recipient: every message that was whole, in order. */
  copies: Map<string, ReceivedMessage[]>
  /** Resolves when so many messages are whole in all, or one was left without an answer by `answerUpTo`. */
  untilMessageCount(count: number): Promise<void>
  messageCount(): number
  /** When more people than these have a message, the connection that brought it is left without any answer. */
  answerUpTo(people: number): void
  close(): Promise<void>
}

type Fault = 'drop' | string | undefined

/** How often the sink misbehaves where it is told to: each share is of the commands of that kind. */
const faultShares = { drop: 0.05, defer: 0.2, closing: 0.01 }
/** Nobody is put off, or left without an answer, more often than that: each costs a try, and nobody's shall run out. */
const maxLostTries = 2

export type SinkOptions = { faults: boolean; security: 'none' | 'starttls' | 'tls' }

/**
 * An SMTP server (RFC 5321, 3207) that counts what it took, and answers each command and message at once. With `faults`
 * it defers, drops connections at every command, and says 421. Its certificate is that of `localhost`.
 */
export async function startDrillSink({ faults, security }: SinkOptions): Promise<DrillSink> {
  const copies = new Map<string, ReceivedMessage[]>()
  const lostTries = new Map<string, number>()
  const sockets = new Set<Socket>()
  let whole = 0
  let maxAnswered = Number.POSITIVE_INFINITY
  let waiting: { count: number; resolve: () => void }[] = []

  function faultAt(verb: string, to: string): Fault {
    if (!faults) return undefined
    const isDropped = Math.random() < faultShares.drop
    if (isDropped && verb !== 'dot') return 'drop'
    if (verb === 'MAIL' && Math.random() < faultShares.closing) return '421 4.3.2 closing'
    const isDeferred = verb === 'RCPT' && Math.random() < faultShares.defer
    const lost = lostTries.get(to) ?? 0
    if (!(isDropped || isDeferred) || lost >= maxLostTries) return undefined
    lostTries.set(to, lost + 1)
    return isDropped ? 'drop' : '451 4.7.1 come back later'
  }

  /** Counts a whole message. Returns whether it is answered; throws where the connection is dropped instead. */
  function take(to: string, message: string): boolean {
    const fault = faultAt('dot', to)
    const list = copies.get(to) ?? []
    copies.set(to, list)
    const answered = fault === undefined && copies.size <= maxAnswered
    list.push({ messageId: /^Message-ID: (.*)\r$/m.exec(message)?.[1] ?? '', answered })
    whole += 1
    const reached = (count: number) => whole >= count || !(answered || fault)
    for (const one of waiting) if (reached(one.count)) one.resolve()
    waiting = waiting.filter((one) => !reached(one.count))
    if (fault) throw new ConnectionDropped()
    return answered
  }

  const secureContext = localhostContext()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    new Conversation({ socket, security, secureContext, faultAt, take }).begin()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    copies,
    messageCount: () => whole,
    untilMessageCount: (count) =>
      whole >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
    answerUpTo(people) {
      maxAnswered = people
    },
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

class ConnectionDropped extends Error {}

const replies = {
  EHLO: '250-drill\r\n250-PIPELINING\r\n250 8BITMIME',
  STAR: '220 2.0.0 ready',
  MAIL: '250 2.1.0 ok',
  RCPT: '250 2.1.5 ok',
  DATA: '354 go ahead',
  QUIT: '221 bye',
}

type ConversationOptions = {
  socket: Socket
  security: SinkOptions['security']
  secureContext: SecureContext
  faultAt: (verb: string, to: string) => Fault
  take: (to: string, message: string) => boolean
}

/** The server's side of one connection. */
class Conversation {
  readonly #about: ConversationOptions
  #socket: Socket
  #secured = false
  #to = ''
  #inData = false
  #silent = false
  #buffered = ''

  constructor(about: ConversationOptions) {
    this.#about = about
    this.#socket = about.socket
  }

  begin(): void {
    if (this.#about.security === 'tls') this.#secure()
    else this.#listen()
    this.#say('220 drill ESMTP')
  }

  #secure(): void {
    this.#socket.removeAllListeners('data')
    this.#buffered = ''
    this.#socket = secureServerSocket(this.#socket, this.#about.secureContext)
    this.#secured = true
    this.#listen()
  }

  #listen(): void {
    this.#socket.on('data', (chunk) => {
      this.#buffered += chunk.toString('latin1')
      try {
        this.#takePieces()
      } catch (error) {
        if (!(error instanceof ConnectionDropped)) throw error
        this.#socket.destroy()
      }
    })
  }

  #takePieces(): void {
    for (;;) {
      const mark = this.#inData ? '\r\n.\r\n' : '\r\n'
      const end = this.#buffered.indexOf(mark)
      if (end < 0 || this.#silent || this.#socket.destroyed || this.#socket.writableEnded) return
      const piece = this.#buffered.slice(0, end)
      this.#buffered = this.#buffered.slice(end + mark.length)
      if (!this.#inData) this.#command(piece)
      else {
        this.#inData = false
        this.#silent = !this.#about.take(this.#to, piece)
        if (!this.#silent) this.#say('250 2.0.0 taken')
      }
    }
  }

  #command(line: string): void {
    const verb = line.slice(0, 4).toUpperCase()
    const address = /<([^>]*)>/.exec(line)?.[1] ?? ''
    if (verb === 'MAIL') this.#to = ''
    if (verb === 'DATA' && this.#to === '') return void this.#say('503 5.5.1 no valid recipient')
    const fault = verb === 'QUIT' ? undefined : this.#about.faultAt(verb, address)
    if (fault === 'drop') throw new ConnectionDropped()
    if (fault?.startsWith('421')) return void this.#socket.end(`${fault}\r\n`)
    if (verb === 'RCPT' && !fault) this.#to = address
    if (verb === 'DATA') this.#inData = true
    this.#say(fault ?? this.#usual(verb))
    if (verb === 'STAR' && !fault) this.#secure()
  }

  #usual(verb: string): string {
    const offersTls = this.#about.security === 'starttls' && !this.#secured
    if (verb === 'EHLO' && offersTls) return replies.EHLO.replace('\r\n', '\r\n250-STARTTLS\r\n')
    return verb in replies ? replies[verb as keyof typeof replies] : '250 ok'
  }

  #say(reply: string): void {
    this.#socket.write(`${reply}\r\n`)
  }
}
