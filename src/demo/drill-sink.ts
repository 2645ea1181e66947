import { createServer, type Socket } from 'node:net'

/** What the sink has seen of one recipient. `answered` is false for a message that was whole and got no answer. */
export type Copy = { messageId: string; answered: boolean }

export type DrillSink = {
  port: number
  /** By recipient: every message that was whole, in order. */
  copies: Map<string, Copy[]>
  /** Resolves when so many messages are whole in all, or one was left without an answer by `answerUpTo`. */
  wholeCount(count: number): Promise<void>
  whole(): number
  /** When more people than these have a message, the connection that brought it is left without any answer. */
  answerUpTo(people: number): void
  close(): Promise<void>
}

type Fault = 'drop' | string | undefined

/** How often the sink misbehaves where it is told to: each share is of the commands of that kind. */
const shares = { drop: 0.05, defer: 0.2, closing: 0.01 }
/** Nobody is put off, or left without an answer, more often than that: each costs a try, and nobody's shall run out. */
const mostLostTries = 2

/** An SMTP server (RFC 5321) that counts what it took. With `faults` it defers, drops connections at every command, and says 421. */
export async function startDrillSink(faults: boolean): Promise<DrillSink> {
  const copies = new Map<string, Copy[]>()
  const lostTries = new Map<string, number>()
  const sockets = new Set<Socket>()
  let whole = 0
  let mostPeople = Number.POSITIVE_INFINITY
  let waiting: { count: number; resolve: () => void }[] = []

  function faultAt(verb: string, to: string): Fault {
    if (!faults) return undefined
    const isDropped = Math.random() < shares.drop
    if (isDropped && verb !== 'dot') return 'drop'
    if (verb === 'MAIL' && Math.random() < shares.closing) return '421 4.3.2 closing'
    const isDeferred = verb === 'RCPT' && Math.random() < shares.defer
    const lost = lostTries.get(to) ?? 0
    if (!(isDropped || isDeferred) || lost >= mostLostTries) return undefined
    lostTries.set(to, lost + 1)
    return isDropped ? 'drop' : '451 4.7.1 come back later'
  }

  /** Counts a whole message. Returns whether it is answered; throws where the connection is dropped instead. */
  function take(to: string, message: string): boolean {
    const fault = faultAt('dot', to)
    const list = copies.get(to) ?? []
    copies.set(to, list)
    const answered = fault === undefined && copies.size <= mostPeople
    list.push({ messageId: /^Message-ID: (.*)\r$/m.exec(message)?.[1] ?? '', answered })
    whole += 1
    const reached = (count: number) => whole >= count || !(answered || fault)
    for (const one of waiting) if (reached(one.count)) one.resolve()
    waiting = waiting.filter((one) => !reached(one.count))
    if (fault) throw new Dropped()
    return answered
  }

  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    converse(socket, faultAt, take)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as { port: number }).port,
    copies,
    whole: () => whole,
    wholeCount: (count) =>
      whole >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
    answerUpTo(people) {
      mostPeople = people
    },
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

class Dropped extends Error {}

const replies: Record<string, string> = {
  EHLO: '250-drill\r\n250-PIPELINING\r\n250 8BITMIME',
  MAIL: '250 2.1.0 ok',
  RCPT: '250 2.1.5 ok',
  DATA: '354 go ahead',
  QUIT: '221 bye',
}

function converse(
  socket: Socket,
  faultAt: (verb: string, to: string) => Fault,
  take: (to: string, message: string) => boolean,
): void {
  let to = ''
  let inData = false
  let silent = false
  let buffered = ''
  const command = (line: string): void => {
    const verb = line.slice(0, 4).toUpperCase()
    const address = /<([^>]*)>/.exec(line)?.[1] ?? ''
    if (verb === 'MAIL') to = ''
    if (verb === 'DATA' && to === '') return void socket.write('503 5.5.1 no valid recipient\r\n')
    const fault = verb === 'QUIT' ? undefined : faultAt(verb, address)
    if (fault === 'drop') throw new Dropped()
    if (fault?.startsWith('421')) return void socket.end(`${fault}\r\n`)
    if (verb === 'RCPT' && !fault) to = address
    if (verb === 'DATA') inData = true
    socket.write(`${fault ?? replies[verb] ?? '250 ok'}\r\n`)
  }
  const takePieces = () => {
    for (;;) {
      const mark = inData ? '\r\n.\r\n' : '\r\n'
      const end = buffered.indexOf(mark)
      if (end < 0 || silent || socket.destroyed || socket.writableEnded) return
      const piece = buffered.slice(0, end)
      buffered = buffered.slice(end + mark.length)
      if (!inData) command(piece)
      else {
        inData = false
        silent = !take(to, piece)
        if (!silent) socket.write('250 2.0.0 taken\r\n')
      }
    }
  }
  socket.on('data', (chunk) => {
    buffered += chunk.toString('latin1')
    try {
      takePieces()
    } catch (error) {
      if (!(error instanceof Dropped)) throw error
      socket.destroy()
    }
  })
  socket.write('220 drill ESMTP\r\n')
}
