import type { Socket } from 'node:net'
import { afterPendingReads } from './pending-reads.ts'

export type Reply = { code: number; text: string }

type Waiting = { resolve(reply: Reply): void; reject(error: Error): void; sinceMs: number }

/** Longer than any valid reply. */
const maxReplyCharacters = 64 * 1024
/** Pipelined commands get their replies together, so this many replies may arrive before `next` reads them. */
const maxUnasked = 8

/**
 * Reads the replies of an SMTP server (RFC 5321 §4.2) from chunks of any size. `mask` removes secrets from replies that
 * an error quotes.
 */
export class ReplyReader {
  readonly #socket: Socket
  readonly #mask: (text: string) => string
  readonly #arrived: Reply[] = []
  /** The lines of an incomplete reply. */
  readonly #lines: string[] = []
  #lineCharacters = 0
  #unread = ''
  #waiting: Waiting | undefined
  #failure: Error | undefined
  #isIgnoring = false
  #isSilenceExpected = false
  #chunks = 0
  #isExpiring = false

  constructor(socket: Socket, mask: (text: string) => string = (text) => text) {
    this.#socket = socket
    this.#mask = mask
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('timeout', () => this.#expire({ isSilent: true }))
    socket.on('close', () => this.#fail(new Error('the connection was closed')))
  }

  /** The next reply, in the order of the commands. Rejects if the connection ends before the reply is complete. */
  next(): Reply | Promise<Reply> {
    this.#isSilenceExpected = false
    const reply = this.#arrived.shift()
    if (reply) return reply
    if (this.#failure) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject, sinceMs: performance.now() }
    })
  }

  get isBroken(): boolean {
    return this.#failure !== undefined || this.#arrived.length > 0 // a reply without a command announces a close
  }

  /** Closes the connection if the server sends anything before the next call of `next`. */
  expectSilence(): void {
    this.#isSilenceExpected = true
    if (this.#unread !== '' || this.#lines.length > 0) this.#fail(new Error('the relay spoke out of turn'))
  }

  /** Ignores all further replies. */
  ignore(): void {
    this.#isSilenceExpected = false
    this.#isIgnoring = true
  }

  #read(chunk: Buffer): void {
    this.#chunks += 1
    if (this.#isSilenceExpected) {
      this.#fail(new Error('the relay spoke out of turn'))
      return
    }
    this.#unread += chunk.toString('latin1')
    this.#readLines()
    if (this.#unread.length + this.#lineCharacters > maxReplyCharacters) this.#fail(new Error('the reply has no end'))
    else if (this.#waiting && this.#isOverdue(this.#waiting)) this.#expire({ isSilent: false })
  }

  #readLines(): void {
    const text = this.#unread
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0 && !this.#failure; end = text.indexOf('\n', start)) {
      this.#addLine(text.slice(start, text[end - 1] === '\r' ? end - 1 : end))
      start = end + 1
    }
    this.#unread = text.slice(start)
  }

  #addLine(line: string): void {
    const code = codeOf(line)
    const first = this.#lines[0]
    if (Number.isNaN(code) || (first !== undefined && codeOf(first) !== code))
      this.#fail(new Error(`no SMTP reply: ${this.#mask(line).slice(0, 200)}`))
    else if (line[3] === '-') {
      this.#lines.push(line)
      this.#lineCharacters += line.length
    } else if (first === undefined) this.#add({ code, text: decoded(line) })
    else {
      this.#lineCharacters = 0
      this.#add({ code, text: decoded([...this.#lines.splice(0), line].join('\n')) })
    }
  }

  #add(reply: Reply): void {
    if (this.#isIgnoring) return
    if (this.#waiting) {
      this.#waiting.resolve(reply)
      this.#waiting = undefined
    } else if (this.#arrived.push(reply) > maxUnasked) this.#fail(new Error('the relay sent replies without a command'))
  }

  /**
   * A whole reply must arrive within the silence timeout, since a slow server that sends single bytes never triggers
   * it.
   */
  #isOverdue({ sinceMs }: Waiting): boolean {
    const { timeout } = this.#socket
    return timeout !== undefined && timeout > 0 && performance.now() - sinceMs > timeout
  }

  /** Fails unless the socket already holds the answer; after a silence, any data is enough. */
  #expire({ isSilent }: { isSilent: boolean }): void {
    if (this.#isExpiring || this.#failure) return
    this.#isExpiring = true
    const [waiting, chunks] = [this.#waiting, this.#chunks]
    afterPendingReads(() => {
      this.#isExpiring = false
      const isSaved = this.#waiting !== waiting || (isSilent && this.#chunks > chunks)
      if (!isSaved) this.#fail(new Error('the relay did not answer in time'))
    })
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#socket.destroy()
    this.#waiting?.reject(this.#failure)
    this.#waiting = undefined
  }
}

/** The three digits before a space, a hyphen or the line end; NaN for any other text. */
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

/** Replies declare no charset; most are ASCII, and most others UTF-8. */
function decoded(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  if (/^[\x00-\x7f]*$/.test(text)) return text
  const utf8 = Buffer.from(text, 'latin1').toString('utf8')
  return utf8.includes('\ufffd') ? text : utf8
}
