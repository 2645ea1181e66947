import { createHash, type KeyObject, sign } from 'node:crypto'
import type { Instant } from '../time/clock.ts'
import {
  type AllocateBuffer,
  encodeMessage,
  type Message,
  type MessageTemplate,
  messageAssembler,
  personalHeaderNames,
  type RecipientCopy,
} from './mime.ts'

/** A key of a domain: RSA, or Ed25519 (RFC 8463). */
export type Signer = { domain: string; selector: string; key: KeyObject }

/**
 * The signed headers among those that all copies share: all that a reader sees. The personal headers are signed too,
 * as RFC 8058 §4 requires for `List-Unsubscribe-Post`.
 */
const signedSharedNames = ['From', 'Reply-To', 'Subject', 'List-Id', 'Feedback-ID', 'MIME-Version', 'Content-Type']

/** Fields that no copy has, signed so that they cannot be added to change the visible message. */
const absentNames = ['Cc', 'Content-Transfer-Encoding']

/**
 * The names in `h=`: each once more than the message has it, so that an added field of that name breaks the signature
 * (RFC 6376 §5.4.2, §8.15).
 */
const signedNames = oversignedNames([...personalHeaderNames, ...signedSharedNames])

function oversignedNames(names: string[]): string[] {
  return [...names, ...names, ...absentNames.filter((name) => !names.includes(name))]
}

/**
 * Like `compileMessage`, and signs each copy (RFC 6376, relaxed/relaxed) with each key on the thread pool. The shared
 * headers and body are canonicalised once; for each copy only the body from its first key on is hashed.
 */
export function compileSignedMessage(
  template: MessageTemplate,
  signers: Signer[],
  allocate: AllocateBuffer = Buffer.allocUnsafeSlow,
): (copy: RecipientCopy) => Promise<Message> {
  const compiled = encodeMessage(template)
  const assemble = messageAssembler(compiled, allocate)
  const sharedFields = signedSharedNames.map((name) => relaxedField(fieldOf(name, compiled.shared))).join('\r\n')
  const [first = Buffer.alloc(0), ...rest] = compiled.body.map(relaxedBody)
  const firstPieceHash = createHash('sha256').update(first)
  const signatureFields = signers.map((signer) => signatureField(signer, signedNames))
  return async (copy) => {
    const { own, envelope, messageId } = compiled.head(copy)
    const hash = firstPieceHash.copy()
    for (const piece of rest) hash.update(copy.keys.link, 'latin1').update(piece)
    const data: SignedData = {
      fields: `${own.map(relaxedField).join('\r\n')}\r\n${sharedFields}\r\n`,
      bodyHash: hash.digest('base64'),
      time: secondsOf(copy.date),
    }
    const signatures = await Promise.all(signatureFields.map((sign) => sign(data)))
    return { envelope, messageId, pieces: assemble([...signatures, ...own], copy.keys.link) }
  }
}

/** Signs all fields of a finished message with each key. */
export async function signMessage(raw: Buffer, signers: Signer[], date: Instant): Promise<Buffer> {
  const end = raw.indexOf('\r\n\r\n')
  const fields = raw.toString('utf8', 0, end).split(/\r\n(?![ \t])/)
  const names = oversignedNames(fields.map((field) => field.slice(0, field.indexOf(':'))))
  const data: SignedData = {
    fields: `${fields.map(relaxedField).join('\r\n')}\r\n`,
    bodyHash: createHash('sha256')
      .update(relaxedBody(raw.subarray(end + 4)))
      .digest('base64'),
    time: secondsOf(date),
  }
  const signatures = await Promise.all(signers.map((signer) => signatureField(signer, names)(data)))
  return Buffer.concat([...signatures.map((signature) => Buffer.from(`${signature}\r\n`, 'latin1')), raw])
}

const secondsOf = (date: Instant) => `${Math.floor(Date.parse(date) / 1000)}`

/** `fields` in canonical form; `time` of the signature in seconds since 1970. */
type SignedData = { fields: string; bodyHash: string; time: string }

/** Makes the `DKIM-Signature` field of one key; copies differ in time, body hash and signature. */
function signatureField({ domain, selector, key }: Signer, names: string[]): (data: SignedData) => Promise<string> {
  const isEd25519 = key.asymmetricKeyType === 'ed25519'
  const around = [
    `DKIM-Signature: v=1; a=${isEd25519 ? 'ed25519' : 'rsa'}-sha256; c=relaxed/relaxed; d=${domain};\r\n s=${selector}; t=`,
    `;\r\n h=${foldedNames(names)};\r\n bh=`,
    ';\r\n b=',
  ]
  const relaxed = relaxedField(around.join('\0')).split('\0')
  return async ({ fields, bodyHash, time }) => {
    const signed = Buffer.from(fields + filled(relaxed, time, bodyHash), 'utf8')
    // Ed25519 signs the SHA-256 of the data (RFC 8463 §3).
    const bytes = isEd25519
      ? await signOnPool(null, createHash('sha256').update(signed).digest(), key)
      : await signOnPool('sha256', signed, key)
    return filled(around, time, bodyHash) + (bytes.toString('base64').match(/.{1,72}/g) ?? []).join('\r\n ')
  }
}

/** Five names a line, so that lines have at most 96 characters. */
function foldedNames(names: string[]): string {
  const lines = Array.from({ length: Math.ceil(names.length / 5) }, (_, line) => names.slice(line * 5, line * 5 + 5))
  return lines.map((line) => line.join(':')).join(':\r\n  ')
}

const filled = ([before, between, after]: string[], time: string, bodyHash: string) =>
  `${before}${time}${between}${bodyHash}${after}`

function fieldOf(name: string, fields: string[]): string {
  return fields.find((field) => field.startsWith(`${name}:`)) ?? ''
}

function signOnPool(algorithm: string | null, data: Buffer, key: KeyObject): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    sign(algorithm, data, key, (error, signature) => (error ? reject(error) : resolve(signature))),
  )
}

/** RFC 6376 §3.4.2 */
function relaxedField(field: string): string {
  const colon = field.indexOf(':')
  const value = field
    .slice(colon + 1)
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
    .trim()
  return `${field.slice(0, colon).toLowerCase()}:${value}`
}

/** RFC 6376 §3.4.4, for a piece that begins at the start of a line. No line ends in white space. */
function relaxedBody(piece: Buffer): Buffer {
  return Buffer.from(piece.toString('latin1').replace(/[ \t]+/g, ' '), 'latin1')
}
