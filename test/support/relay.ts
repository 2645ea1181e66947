import { createServer, type Socket } from 'node:net'

/** Where in the dialogue a relay stands when it may misbehave. `dot` is the answer after the message. */
export type Stage = 'connect' | 'EHLO' | 'MAIL' | 'RCPT' | 'DATA' | 'dot'

/** What to answer instead of the usual: a reply line, or to drop the connection, never to answer, or the usual letter by letter. */
export type Fault = string | { drop: true } | { hang: true } | { slow: true } | undefined

export type Taken = { from: string; to: string; raw: Buffer }

export type TestRelay = {
  port: number
  /** What it took responsibility for: answered 250 after the dot. */
  taken: Taken[]
  /** What it had whole, whether or not it answered. */
  whole: Taken[]
  commands: string[]
  /** Resolves when so many messages are whole. */
  wholeCount(count: number): Promise<void>
  /** Resolves when it has heard so many commands. */
  commandCount(count: number): Promise<void>
  close(): Promise<void>
}

type FaultAt = (stage: Stage, about: { from: string; to: string; connection: number }) => Fault

const usual: Record<Stage, string> = {
  connect: '220 relay.test ESMTP',
  EHLO: '250-relay.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8',
  MAIL: '250 2.1.0 ok',
  RCPT: '250 2.1.5 ok',
  DATA: '354 go ahead',
  dot: '250 2.0.0 taken',
}

/** A real SMTP server (RFC 5321) that misbehaves where it is told to. */
export async function startRelay(
  faultAt: FaultAt = () => undefined,
  onClose: (connection: number) => void = () => {},
): Promise<TestRelay> {
  const sockets = new Set<Socket>()
  const waiting: { count: number; resolve: () => void }[] = []
  const listening: { count: number; resolve: () => void }[] = []
  const relay: Omit<TestRelay, 'port' | 'close' | 'wholeCount' | 'commandCount'> = {
    taken: [],
    whole: [],
    commands: [],
  }
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
    converse(socket, connection)
  })

  function converse(socket: Socket, connection: number): void {
    let from = ''
    let to = ''
    let buffered = Buffer.alloc(0)
    let inData = false
    let silent = false
    let spelling: Promise<void> | undefined
    const spell = (pieces: string[]): void => {
      for (const piece of pieces) {
        spelling = (spelling ?? Promise.resolve()).then(() => new Promise((done) => socket.write(piece, () => done())))
      }
    }
    const say = (line: string): void => {
      if (spelling)
        spell([`${line}\r\n`]) // behind what is still being spelled
      else socket.write(`${line}\r\n`)
    }
    const answer = (stage: Stage): boolean => {
      const fault = faultAt(stage, { from, to, connection })
      if (fault === undefined || typeof fault === 'string') say(fault ?? usual[stage])
      else if ('slow' in fault) spell([...`${usual[stage]}\r\n`])
      else if ('drop' in fault) socket.destroy()
      else silent = true
      return fault === undefined || (typeof fault === 'object' && 'slow' in fault)
    }
    const command = (line: string): void => {
      relay.commands.push(line)
      for (const { count, resolve } of listening) if (relay.commands.length >= count) resolve()
      const [verb = ''] = line.toUpperCase().split(/[ :]/)
      if (verb === 'EHLO' || verb === 'HELO') answer('EHLO')
      else if (verb === 'MAIL') {
        from = /<([^>]*)>/.exec(line)?.[1] ?? ''
        answer('MAIL')
      } else if (verb === 'RCPT') {
        to = /<([^>]*)>/.exec(line)?.[1] ?? ''
        if (!answer('RCPT')) to = ''
      } else if (verb === 'DATA') {
        if (to === '') say('503 5.5.1 no valid recipient')
        else inData = answer('DATA')
      } else if (verb === 'QUIT') socket.end('221 bye\r\n')
      else say('250 ok')
    }
    const message = (raw: Buffer): void => {
      relay.whole.push({ from, to, raw })
      for (const { count, resolve } of waiting) if (relay.whole.length >= count) resolve()
      if (answer('dot')) relay.taken.push({ from, to, raw })
    }
    socket.on('data', (chunk) => {
      buffered = Buffer.concat([buffered, chunk])
      for (;;) {
        const mark = inData ? '\r\n.\r\n' : '\r\n'
        const end = buffered.indexOf(mark)
        if (end < 0 || socket.destroyed || silent) return
        const piece = buffered.subarray(0, end)
        buffered = buffered.subarray(end + mark.length)
        if (!inData) command(piece.toString('utf8'))
        else {
          inData = false
          message(Buffer.concat([piece, Buffer.from('\r\n')]))
        }
      }
    })
    answer('connect')
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    ...relay,
    port: (server.address() as { port: number }).port,
    wholeCount(count) {
      if (relay.whole.length >= count) return Promise.resolve()
      return new Promise((resolve) => waiting.push({ count, resolve }))
    },
    commandCount(count) {
      if (relay.commands.length >= count) return Promise.resolve()
      return new Promise((resolve) => listening.push({ count, resolve }))
    },
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
