import libmime from 'libmime'
import { type Instant, mailDate } from '../time/clock.ts'
import { domainOf } from './email-domain.ts'
import { type DeliveryKeys, keyLength } from './keys.ts'
import { editionLinks } from './links.ts'
import { quotedPrintable } from './quoted-printable.ts'

/** The data for the headers of a variant; sealed with its bytes. */
export type MessageHead = {
  number: number
  digest: { name: string; title: string }
  publication: { name: string; site: string }
  webUrl: string
  from: { name: string; address: string }
  replyTo: string
  /** The envelope sender, which gets bounces. */
  returnPath: string
  /**
   * Each copy has its own envelope sender, `bounces+key@example.org`, so that a bounce identifies the delivery. Absent in
   * editions of earlier versions, where it means true.
   */
  personalReturnPath?: boolean
}

/** Everything that the copies of a variant share. `senderId` identifies this installation in `Feedback-ID`. */
export type MessageTemplate = MessageHead & {
  editionId: string
  senderId: string
  subject: string
  html: string
  text: string
  slot: string
}

/** One person's copy. */
export type RecipientCopy = { email: string; name: string; keys: DeliveryKeys; date: Instant }

/**
 * `pieces` are the bytes for SMTP's DATA, with the final dot. The personal pieces share one buffer, that of the first
 * piece; the pieces between belong to all copies.
 */
export type Message = { envelope: { from: string; to: string }; messageId: string; pieces: Buffer[] }

/** Allocates the bytes of a copy: new ones, or from a pool. */
export type AllocateBuffer = (size: number) => Buffer

/** A message that is encoded once for all copies. Headers are folded, without the last line end. */
export type CompiledMessage = {
  /** The personal headers of a copy (see `personalHeaderNames`) and its envelope. */
  head(copy: RecipientCopy): { own: string[]; envelope: Message['envelope']; messageId: string }
  /** The headers of all copies, after the personal ones. */
  shared: string[]
  /** The encoded body, split at the slots for the key. */
  body: Buffer[]
}

/** The headers that differ between copies, in order. */
export const personalHeaderNames = ['Date', 'To', 'Message-ID', 'List-Unsubscribe', 'List-Unsubscribe-Post']

/**
 * Encodes the message once and returns a function that makes a copy: it adds the personal headers and fills in the key.
 * RFC 5322, MIME (RFC 2045–2047), List-Unsubscribe (RFC 2369) with one click (RFC 8058), List-Id (RFC 2919).
 */
export function compileMessage(
  template: MessageTemplate,
  allocate: AllocateBuffer = Buffer.allocUnsafeSlow,
): (copy: RecipientCopy) => Message {
  const compiled = encodeMessage(template)
  const assemble = messageAssembler(compiled, allocate)
  return (copy) => {
    const { own, envelope, messageId } = compiled.head(copy)
    return { envelope, messageId, pieces: assemble(own, copy.keys.link) }
  }
}

export function encodeMessage(template: MessageTemplate): CompiledMessage {
  const boundary = `lw-${template.slot.slice(0, 24)}`
  const domain = domainOf(template.from.address)
  const unsubscribeFields = unsubscribeHeaders(template)
  const dateOf = dateField()
  const senderOf = envelopeSenders(template)
  return {
    head({ email, name, keys, date }) {
      const messageId = `<${keys.messageId}@${domain}>`
      return {
        own: [dateOf(date), `To: ${mailbox(name, email)}`, `Message-ID: ${messageId}`, ...unsubscribeFields(keys.link)],
        envelope: { from: senderOf(keys.returnPath), to: email },
        messageId,
      }
    },
    shared: sharedHeaders(template, boundary),
    body: bodyPieces(template, boundary),
  }
}

const finalDot = Buffer.from('.\r\n', 'latin1')

/** Shorter parts are copied, which is cheaper than another piece. */
const minSharedBytes = 4096

/** Returns a function that combines personal headers and key with the shared parts. Only the last line begins with a dot. */
export function messageAssembler(
  { shared, body: [first = Buffer.alloc(0), ...others] }: Pick<CompiledMessage, 'shared' | 'body'>,
  allocate: AllocateBuffer,
): (own: string[], key: string) => Buffer[] {
  const parts = [Buffer.concat([Buffer.from(`\r\n${shared.join('\r\n')}\r\n\r\n`), first]), ...others]
  parts.push(Buffer.concat([parts.pop() ?? Buffer.alloc(0), finalDot]))
  const copied = parts.filter(({ length }) => length < minSharedBytes)
  const copiedBytes = copied.reduce((sum, { length }) => sum + length, 0)
  return (own, key) => {
    const head = own.join('\r\n')
    const bytes = allocate(Buffer.byteLength(head, 'utf8') + copiedBytes + (parts.length - 1) * key.length)
    const pieces: Buffer[] = []
    let from = 0
    let at = bytes.write(head, 0, 'utf8')
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index] as Buffer
      if (index > 0) at += bytes.write(key, at, 'latin1')
      if (part.length < minSharedBytes) at += part.copy(bytes, at)
      else {
        pieces.push(bytes.subarray(from, at), part)
        from = at
      }
    }
    if (at > from) pieces.push(bytes.subarray(from, at))
    return pieces
  }
}

/** The bytes of a message without SMTP's final dot, as in a file. */
export function rawMessage({ pieces }: Pick<Message, 'pieces'>): Buffer {
  return Buffer.concat(pieces).subarray(0, -finalDot.length)
}

/** Formats the Date field once a second. */
function dateField(): (date: Instant) => string {
  let second = ''
  let field = ''
  return (date) => {
    if (!date.startsWith(second) || second === '') {
      second = date.slice(0, 19)
      field = `Date: ${mailDate(date)}`
    }
    return field
  }
}

/** `name+key@domain` if the name leaves room for the key (64 octets, RFC 5321 §4.5.3.1.1). */
function envelopeSenders({ returnPath, personalReturnPath = true }: MessageTemplate): (key: string) => string {
  const [name, host] = splitAddress(returnPath)
  const isPersonal = personalReturnPath && name.length + 1 + keyLength <= 64
  return isPersonal ? (key) => `${name}+${key}@${host}` : () => returnPath
}

function sharedHeaders(template: MessageTemplate, boundary: string): string[] {
  const { digest, publication } = template
  const listHost = new URL(publication.site).hostname
  return [
    `From: ${mailbox(template.from.name, template.from.address)}`,
    `Reply-To: ${headerValue(template.replyTo)}`,
    header('Subject', template.subject),
    `List-Id: ${mailbox(digest.title, `${digest.name}.${listHost}`)}`,
    `Feedback-ID: ${feedbackId(template)}`,
    'Precedence: bulk',
    'MIME-Version: 1.0',
    `Content-Type: multipart/alternative; boundary="${boundary}"`,
  ]
}

/** Without a `mailto:`, since no program reads requests to unsubscribe in a mailbox. */
function unsubscribeHeaders(template: MessageTemplate): (key: string) => string[] {
  const { leave } = editionLinks(template.webUrl, template.editionId, template.slot)
  const [before, after] = leave.split(template.slot)
  return (key) => [`List-Unsubscribe: <${before}${key}${after}>`, 'List-Unsubscribe-Post: List-Unsubscribe=One-Click']
}

/** The encoded body, split at the slots for the key. */
function bodyPieces({ html, text, slot }: MessageTemplate, boundary: string): Buffer[] {
  const part = (type: string) =>
    `--${boundary}\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`
  const pieces: Buffer[] = []
  const join = (bytes: Buffer) => {
    pieces.push(Buffer.concat([pieces.pop() ?? Buffer.alloc(0), bytes]))
  }
  const addPart = (head: string, content: string) => {
    const [first = Buffer.alloc(0), ...others] = quotedPrintable(content, slot)
    join(Buffer.from(head, 'latin1'))
    join(first)
    pieces.push(...others)
  }
  addPart(part('text/plain'), text)
  addPart(`\r\n${part('text/html')}`, html)
  join(Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1'))
  return pieces
}

/** Formats a name and an address for a header (RFC 5322 §3.4, RFC 2047 for non-ASCII names). */
export function mailbox(name: string, given: string): string {
  const plain = headerValue(name)
  const address = headerValue(given).replace(/[<>]/g, '')
  if (plain === '') return `<${address}>`
  if (isPlain(plain) && plain.length <= 200) return `"${plain.replace(/[\\"]/g, '\\$&')}"\r\n <${address}>`
  return `${encoded(plain)}\r\n <${address}>`
}

/** Formats one header, folded, and encoded if it is not plain ASCII (RFC 2047). */
export function header(name: string, value: string): string {
  const plain = headerValue(value)
  const text = isPlain(plain) ? plain : encoded(plain)
  return libmime.foldLines(`${name}: ${text.replace(/\r\n /g, ' ')}`, 76)
}

/** Needs no encoding: ASCII, with words short enough to fold, and nothing that looks like an encoded word. */
function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text) && !/[^ ]{60}|=\?/.test(text)
}

/** Encoded words of at most 75 characters, one a line (RFC 2047 §2). */
function encoded(text: string): string {
  return libmime.encodeWord(text, 'B', 60).split(' ').join('\r\n ')
}

/** Prevents line breaks in headers. */
function headerValue(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are removed
  return text.replace(/[\u0000-\u001f\u007f\u0085\u2028\u2029]+/g, ' ').trim()
}

/**
 * Edition, digest, publication and sender (https://support.google.com/mail/answer/6254652). Gmail counts complaints for
 * each of the four values, so all four differ, and none identifies a reader.
 */
function feedbackId({ number, digest, publication, senderId }: MessageTemplate): string {
  const name = label(publication.name)
  return `${digest.name}.${number}:${digest.name}:${name === digest.name ? `${name}.publication` : name}:${senderId}`
}

function label(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 40)
      .replace(/^-|-$/g, '') || 'publication'
  )
}

function splitAddress(address: string): [string, string] {
  const at = address.lastIndexOf('@')
  return [address.slice(0, at), address.slice(at + 1)]
}
