import type { Socket } from 'node:net'

export type Reply = { code: number; text: string }

export type Replies = {
  /** The next reply, in the order of the commands; rejects when the connection ends before it is whole. */
  next(): Promise<Reply>
  readonly broken: boolean
  /** From now on replies do not matter. */
  leave(): void
}

/** No honest reply is longer. */
const longest = 64 * 1024

/** Reads the replies of an SMTP server (RFC 5321 §4.2), however the network cuts them. */
export function readReplies(socket: Socket): Replies {
  const arrived: Reply[] = []
  const lines: string[] = []
  let waiting: { resolve(reply: Reply): void; reject(error: Error): void } | undefined
  let ended: Error | undefined
  let left = false
  let rest = ''

  const fail = (error: Error) => {
    ended ??= error
    socket.destroy()
    waiting?.reject(ended)
    waiting = undefined
  }
  const take = (reply: Reply) => {
    if (left) return
    if (waiting) {
      waiting.resolve(reply)
      waiting = undefined
    } else arrived.push(reply)
  }
  const takeLine = (line: string) => {
    const [, code, more] = /^(\d{3})(?:([ -])|$)/.exec(line) ?? []
    const [first] = lines
    if (!code || (first !== undefined && !first.startsWith(code))) {
      return fail(new Error(`no SMTP reply: ${line.slice(0, 200)}`))
    }
    lines.push(line)
    if (more !== '-') take({ code: Number(code), text: decoded(lines.splice(0).join('\n')) })
  }

  socket.on('data', (chunk: Buffer) => {
    rest += chunk.toString('latin1')
    let start = 0
    for (let end = rest.indexOf('\n'); end >= 0 && !ended; end = rest.indexOf('\n', start)) {
      takeLine(rest.slice(start, rest[end - 1] === '\r' ? end - 1 : end))
      start = end + 1
    }
    rest = rest.slice(start)
    if (rest.length + lines.join('').length > longest) fail(new Error('the reply has no end'))
  })
  socket.on('error', fail)
  socket.on('timeout', () => fail(new Error('the relay did not answer in time')))
  socket.on('close', () => fail(new Error('the connection was closed')))

  return {
    next() {
      const reply = arrived.shift()
      if (reply) return Promise.resolve(reply)
      if (ended) return Promise.reject(ended)
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject }
      })
    },
    get broken() {
      return ended !== undefined || arrived.length > 0 // a reply that nobody asked for is a good-bye
    },
    leave() {
      left = true
    },
  }
}

/** Replies have no charset of their own; most are ASCII, the others mostly UTF-8. */
function decoded(text: string): string {
  const utf8 = Buffer.from(text, 'latin1').toString('utf8')
  return utf8.includes('\ufffd') ? text : utf8
}
