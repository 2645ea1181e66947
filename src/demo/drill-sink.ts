import { createServer, type Server, type Socket } from 'node:net'
import { DrillFaults } from './drill-faults.ts'
import { listen } from './listen.ts'
import { localhostContext } from './localhost-tls.ts'
import { ConnectionDropped, type SinkSecurity, SinkSession } from './sink-session.ts'

/** A whole message for one recipient; `answered` is false if it got no reply. */
export type ReceivedMessage = { messageId: string; answered: boolean }

/**
 * An SMTP server (RFC 5321, 3207) that counts messages and replies at once, with the certificate of `localhost`. With
 * `faults` it defers, drops connections at every command, and replies 421.
 */
export class DrillSink {
  /** The whole messages of each recipient, in order. */
  readonly copies = new Map<string, ReceivedMessage[]>()
  readonly #server: Server
  readonly #faults: DrillFaults | undefined
  readonly #sockets = new Set<Socket>()
  #messageCount = 0
  #maxAnswered = Number.POSITIVE_INFINITY
  #waiting: { count: number; resolve: () => void }[] = []

  constructor({ faults, security }: { faults: boolean; security: SinkSecurity }) {
    this.#faults = faults ? new DrillFaults() : undefined
    const secureContext = localhostContext()
    this.#server = createServer((socket) => {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
      const faultAt = (verb: string, recipient: string) => this.#faults?.at(verb, recipient)
      const store = (recipient: string, message: string) => this.#store(recipient, message)
      new SinkSession({ socket, security, secureContext, faultAt, store }).start()
    })
  }

  /** Listens on a free port of this machine, and returns the port. */
  start(): Promise<number> {
    return listen(this.#server, 0)
  }

  get messageCount(): number {
    return this.#messageCount
  }

  /** Resolves when this number of messages is whole, or one got no reply because of `answerUpTo`. */
  untilMessageCount(count: number): Promise<void> {
    if (this.#messageCount >= count) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ count, resolve }))
  }

  /** A message for one more recipient than this gets no reply, and its connection stays open. */
  answerUpTo(recipients: number): void {
    this.#maxAnswered = recipients
  }

  /** Counts a whole message and returns whether it is answered; throws `ConnectionDropped` for a fault. */
  #store(recipient: string, message: string): boolean {
    const fault = this.#faults?.at('dot', recipient)
    const list = this.copies.get(recipient) ?? []
    this.copies.set(recipient, list)
    const answered = fault === undefined && this.copies.size <= this.#maxAnswered
    list.push({ messageId: /^Message-ID: (.*)\r$/m.exec(message)?.[1] ?? '', answered })
    this.#messageCount += 1
    this.#resolveWaiting(!(answered || fault))
    if (fault) throw new ConnectionDropped()
    return answered
  }

  #resolveWaiting(all: boolean): void {
    const isReached = ({ count }: { count: number }) => all || this.#messageCount >= count
    for (const waiting of this.#waiting.filter(isReached)) waiting.resolve()
    this.#waiting = this.#waiting.filter((waiting) => !isReached(waiting))
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}
