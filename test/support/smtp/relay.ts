import { createServer, type Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import { localhostContext, secureServerSocket } from '../../../src/demo/localhost-tls.ts'
import { openCounter } from '../counter.ts'

/** Where in the dialogue a relay stands when it may misbehave. `dot` is the answer after the message. */
export type Stage = 'connect' | 'EHLO' | 'STARTTLS' | 'MAIL' | 'RCPT' | 'DATA' | 'dot'

/** What to answer instead of the usual: a reply line, or to drop the connection, never to answer, or the usual letter by letter. */
export type Fault = string | { drop: true } | { hang: true } | { slow: true } | undefined

export type ReceivedMessage = { from: string; to: string; raw: Buffer }

export type Security = 'none' | 'starttls' | 'tls'

export type TestRelay = {
  port: number
  /** What it took responsibility for: answered 250 after the dot. */
  accepted: ReceivedMessage[]
  /** What it had whole, whether or not it answered. */
  received: ReceivedMessage[]
  commands: string[]
  /** Resolves when so many messages are whole. */
  untilReceived(count: number): Promise<void>
  /** Resolves when it has heard so many commands. */
  untilCommands(count: number): Promise<void>
  /** From the message of that number on, no message is answered until `answerAll`. */
  holdAnswersFrom(count: number): void
  /** Gives all answers that were held back, and holds none back any more. */
  answerAll(): void
  close(): Promise<void>
}

/** `secured`: TLS has begun on the connection. Without TLS it is always false. */
export type FaultAt = (stage: Stage, about: { from: string; to: string; connection: number; secured: boolean }) => Fault

const defaultReplies: Record<Stage, string> = {
  connect: '220 relay.test ESMTP',
  EHLO: '250-relay.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8',
  STARTTLS: '220 2.0.0 ready',
  MAIL: '250 2.1.0 ok',
  RCPT: '250 2.1.5 ok',
  DATA: '354 go ahead',
  dot: '250 2.0.0 taken',
}

export type RelayOptions = { security?: Security; onClose?: (connection: number) => void }

/** A real SMTP server (RFC 5321, 3207) that misbehaves where it is told to. Its certificate is that of `localhost`. */
export async function startRelay(
  faultAt: FaultAt = () => undefined,
  { security = 'none', onClose = () => {} }: RelayOptions = {},
): Promise<TestRelay> {
  const sockets = new Set<Socket>()
  const log = new Log()
  const secureContext = localhostContext()
  let connections = 0
  const server = createServer((socket) => {
    socket.setNoDelay(true)
    sockets.add(socket)
    const connection = ++connections
    socket.on('close', () => {
      sockets.delete(socket)
      onClose(connection)
    })
    socket.on('error', () => {})
    new Conversation({ socket, log, faultAt, security, secureContext, connection }).begin()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    accepted: log.taken,
    received: log.whole,
    commands: log.commands,
    port: (server.address() as { port: number }).port,
    untilReceived: (count) => log.wholeCounter.reaches(count),
    untilCommands: (count) => log.commandCounter.reaches(count),
    holdAnswersFrom: (count) => {
      log.heldFrom = count
    },
    answerAll: () => log.answerAll(),
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** What all connections of one relay have heard. */
class Log {
  readonly taken: ReceivedMessage[] = []
  readonly whole: ReceivedMessage[] = []
  readonly commands: string[] = []
  readonly wholeCounter = openCounter(() => this.whole.length)
  readonly commandCounter = openCounter(() => this.commands.length)
  heldFrom = Number.POSITIVE_INFINITY
  readonly #held: (() => void)[] = []

  command(line: string): void {
    this.commands.push(line)
    this.commandCounter.changed()
  }

  message(message: ReceivedMessage, answer: () => void): void {
    this.whole.push(message)
    if (this.whole.length >= this.heldFrom) this.#held.push(answer)
    else answer()
    this.wholeCounter.changed()
  }

  answerAll(): void {
    this.heldFrom = Number.POSITIVE_INFINITY
    for (const answer of this.#held.splice(0)) answer()
  }
}

type ConversationOptions = {
  socket: Socket
  log: Log
  faultAt: FaultAt
  security: Security
  secureContext: SecureContext
  connection: number
}

/** The server's side of one connection. */
class Conversation {
  #socket: Socket
  readonly #about: ConversationOptions
  #secured = false
  #from = ''
  #to = ''
  #buffered: Buffer = Buffer.alloc(0)
  #inData = false
  #silent = false
  /** A message waits for its answer: nothing behind it is heard before. */
  #isHeld = false
  #spelling: Promise<void> | undefined

  constructor(about: ConversationOptions) {
    this.#about = about
    this.#socket = about.socket
  }

  begin(): void {
    if (this.#about.security === 'tls') this.#secure()
    else this.#listen()
    this.#answer('connect')
  }

  #listen(): void {
    this.#socket.on('data', (chunk) => {
      this.#buffered = Buffer.concat([this.#buffered, chunk])
      this.#takePieces()
    })
  }

  #secure(): void {
    this.#socket.removeAllListeners('data')
    this.#buffered = Buffer.alloc(0) // said in clear: nobody knows by whom
    this.#socket = secureServerSocket(this.#socket, this.#about.secureContext)
    this.#secured = true
    this.#listen()
  }

  #takePieces(): void {
    for (;;) {
      const mark = this.#inData ? '\r\n.\r\n' : '\r\n'
      const end = this.#buffered.indexOf(mark)
      if (end < 0 || this.#socket.destroyed || this.#silent || this.#isHeld) return
      const piece = this.#buffered.subarray(0, end)
      this.#buffered = this.#buffered.subarray(end + mark.length)
      if (!this.#inData) this.#command(piece.toString('utf8'))
      else {
        this.#inData = false
        this.#message(Buffer.concat([piece, Buffer.from('\r\n')]))
      }
    }
  }

  #command(line: string): void {
    this.#about.log.command(line)
    const [verb = ''] = line.toUpperCase().split(/[ :]/)
    const address = /<([^>]*)>/.exec(line)?.[1] ?? ''
    if (verb === 'EHLO' || verb === 'HELO') this.#answer('EHLO')
    else if (verb === 'STARTTLS') this.#startTls()
    else if (verb === 'MAIL') {
      this.#from = address
      this.#answer('MAIL')
    } else if (verb === 'RCPT') {
      this.#to = address
      if (!this.#answer('RCPT')) this.#to = ''
    } else if (verb === 'DATA') {
      if (this.#to === '') this.#say('503 5.5.1 no valid recipient')
      else this.#inData = this.#answer('DATA')
    } else if (verb === 'QUIT') this.#socket.end('221 bye\r\n')
    else this.#say('250 ok')
  }

  #startTls(): void {
    if (this.#about.security !== 'starttls' || this.#secured) this.#say('502 5.5.1 not here')
    else if (this.#answer('STARTTLS')) this.#secureBehindSpelling()
  }

  #secureBehindSpelling(): void {
    if (this.#spelling) {
      this.#socket.pause()
      void this.#spelling.then(() => this.#secure())
      this.#spelling = undefined
    } else this.#secure()
  }

  #message(raw: Buffer): void {
    const { log } = this.#about
    const message = { from: this.#from, to: this.#to, raw }
    this.#isHeld = true
    log.message(message, () => {
      this.#isHeld = false
      if (this.#answer('dot')) log.taken.push(message)
      this.#takePieces()
    })
  }

  /** Answers as usual, or with the fault of the moment. Returns whether that was a yes. */
  #answer(stage: Stage): boolean {
    const { faultAt, connection } = this.#about
    const fault = faultAt(stage, { from: this.#from, to: this.#to, connection, secured: this.#secured })
    if (fault === undefined) this.#say(this.#usual(stage))
    else if (typeof fault === 'string') this.#say(fault)
    else if ('slow' in fault) this.#spell([...`${this.#usual(stage)}\r\n`])
    else if ('drop' in fault) this.#socket.destroy()
    else this.#silent = true
    return fault === undefined || (typeof fault === 'object' && 'slow' in fault)
  }

  #usual(stage: Stage): string {
    const offersTls = stage === 'EHLO' && this.#about.security === 'starttls' && !this.#secured
    return offersTls ? defaultReplies.EHLO.replace('\r\n', '\r\n250-STARTTLS\r\n') : defaultReplies[stage]
  }

  #say(line: string): void {
    if (this.#spelling)
      this.#spell([`${line}\r\n`]) // behind what is still being spelled
    else this.#socket.write(`${line}\r\n`)
  }

  #spell(pieces: string[]): void {
    const socket = this.#socket
    for (const piece of pieces) {
      this.#spelling = (this.#spelling ?? Promise.resolve()).then(
        () => new Promise((done) => socket.write(piece, () => done())),
      )
    }
  }
}
