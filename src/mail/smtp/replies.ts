import type { Socket } from 'node:net'

export type Reply = { code: number; text: string }

export type Replies = {
  /** The next reply, in the order of the commands, at once if it is here; rejects when the connection ends before it is whole. */
  next(): Reply | Promise<Reply>
  readonly broken: boolean
  /** Nothing is expected until the next `next`: a server that says anything now is hung up on. */
  rest(): void
  /** From now on replies do not matter. */
  leave(): void
}

/** No honest reply is longer. */
const longest = 64 * 1024
/** Commands that go out in one write are answered in one: so many replies may come before they are asked for. */
const maxUnasked = 8

/**
 * Reads the replies of an SMTP server (RFC 5321 §4.2), however the network cuts them. `mask` takes secrets out of what an
 * error repeats of them.
 */
export function readReplies(socket: Socket, mask: (text: string) => string = (text) => text): Replies {
  const arrived: Reply[] = []
  const lines: string[] = []
  let waiting: { resolve(reply: Reply): void; reject(error: Error): void; since: number } | undefined
  let ended: Error | undefined
  let left = false
  let isResting = false
  let unread = ''
  let held = 0 // characters in `lines`

  /** A reply has as much time as silence has: one that drips, a byte now and then, never ends by itself. */
  const isOverdue = (since: number) =>
    socket.timeout !== undefined && socket.timeout > 0 && performance.now() - since > socket.timeout

  let chunks = 0
  let isExpiring = false

  /**
   * The time is over. An answer that lies in the socket while the thread was busy is read first: within two turns of the
   * event loop. `isSilent`: only if nothing at all came in them.
   */
  const expire = (isSilent: boolean) => {
    if (isExpiring || ended) return
    isExpiring = true
    const [asked, before] = [waiting, chunks]
    setImmediate(() =>
      setImmediate(() => {
        isExpiring = false
        if (waiting === asked && !(isSilent && chunks > before)) fail(new Error('the relay did not answer in time'))
      }),
    )
  }
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
    } else if (arrived.push(reply) > maxUnasked) fail(new Error('the relay answers what nobody asked'))
  }
  const takeLine = (line: string) => {
    const code = codeOf(line)
    const [first] = lines
    if (Number.isNaN(code) || (first !== undefined && codeOf(first) !== code)) {
      return fail(new Error(`no SMTP reply: ${mask(line).slice(0, 200)}`))
    }
    if (line[3] === '-') {
      lines.push(line)
      held += line.length
    } else if (first === undefined) take({ code, text: decoded(line) })
    else {
      held = 0
      take({ code, text: decoded([...lines.splice(0), line].join('\n')) })
    }
  }

  socket.on('data', (chunk: Buffer) => {
    chunks += 1
    if (isResting) return fail(new Error('the relay spoke out of turn'))
    unread += chunk.toString('latin1')
    let start = 0
    for (let end = unread.indexOf('\n'); end >= 0 && !ended; end = unread.indexOf('\n', start)) {
      takeLine(unread.slice(start, unread[end - 1] === '\r' ? end - 1 : end))
      start = end + 1
    }
    unread = unread.slice(start)
    if (unread.length + held > longest) fail(new Error('the reply has no end'))
    else if (waiting && isOverdue(waiting.since)) expire(false)
  })
  socket.on('error', fail)
  socket.on('timeout', () => expire(true))
  socket.on('close', () => fail(new Error('the connection was closed')))

  return {
    next() {
      isResting = false
      const reply = arrived.shift()
      if (reply) return reply
      if (ended) return Promise.reject(ended)
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject, since: performance.now() }
      })
    },
    get broken() {
      return ended !== undefined || arrived.length > 0 // a reply that nobody asked for is a good-bye
    },
    rest() {
      isResting = true
      if (unread !== '' || lines.length > 0) fail(new Error('the relay spoke out of turn'))
    },
    leave() {
      isResting = false
      left = true
    },
  }
}

/** Three digits, and a space, a hyphen or nothing behind them; NaN for what is no reply. */
function codeOf(line: string): number {
  const behind = line[3]
  if (behind !== ' ' && behind !== '-' && behind !== undefined) return Number.NaN
  let code = 0
  for (let at = 0; at < 3; at++) {
    const digit = line.charCodeAt(at) - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    code = code * 10 + digit
  }
  return code
}

/** Replies have no charset of their own; most are ASCII, the others mostly UTF-8. */
function decoded(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  if (/^[\x00-\x7f]*$/.test(text)) return text
  const utf8 = Buffer.from(text, 'latin1').toString('utf8')
  return utf8.includes('\ufffd') ? text : utf8
}
