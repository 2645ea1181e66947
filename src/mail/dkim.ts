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

/** One key that signs for one domain: RSA, or Ed25519 (RFC 8463). */
export type Signer = { domain: string; selector: string; key: KeyObject }

/**
 * What is signed of the headers that all copies have: all that a reader sees. Those that a copy has for itself are signed
 * too, for they say how to leave, and `List-Unsubscribe-Post` must be (RFC 8058 §4).
 */
const signedSharedNames = ['From', 'Reply-To', 'Subject', 'List-Id', 'Feedback-ID', 'MIME-Version', 'Content-Type']

/** Fields that no copy has, and that would change what a reader sees if somebody put them on top. */
const absentNames = ['Cc', 'Content-Transfer-Encoding']

/**
 * `h=`: each name once more than it stands there, so that another field of that name breaks the signature (RFC 6376
 * §5.4.2, §8.15). Verifiers take fields from below, and one that is not there counts for nothing (§5.4.2).
 */
const signedNames = oversignedNames([...personalHeaderNames, ...signedSharedNames])

function oversignedNames(names: string[]): string[] {
  return [...names, ...names, ...absentNames.filter((name) => !names.includes(name))]
}

/**
 * Like `compileLetter`, and signs each copy (RFC 6376, relaxed/relaxed) with each key, on the thread pool. What all copies
 * have in common is brought into its canonical form once; of the body a copy is only hashed, from its first key on.
 */
export function compileSignedMessage(
  template: MessageTemplate,
  signers: Signer[],
  allocate: AllocateBuffer = Buffer.allocUnsafeSlow,
): (copy: RecipientCopy) => Promise<Message> {
  const compiled = encodeMessage(template)
  const assemble = messageAssembler(compiled, allocate)
  const common = signedSharedNames.map((name) => relaxedField(fieldOf(name, compiled.shared))).join('\r\n')
  const [first = Buffer.alloc(0), ...rest] = compiled.body.map(relaxedBody)
  const firstPieceHash = createHash('sha256').update(first)
  const signatureFields = signers.map((signer) => signatureField(signer, signedNames))
  return async (copy) => {
    const { own, envelope, messageId } = compiled.head(copy)
    const hash = firstPieceHash.copy()
    for (const piece of rest) hash.update(copy.keys.link, 'latin1').update(piece)
    const about: SignedData = {
      fields: `${own.map(relaxedField).join('\r\n')}\r\n${common}\r\n`,
      bodyHash: hash.digest('base64'),
      time: secondsOf(copy.date),
    }
    const signatures = await Promise.all(signatureFields.map((sign) => sign(about)))
    return { envelope, messageId, pieces: assemble([...signatures, ...own], copy.keys.link) }
  }
}

/** Signs one finished message in the same way: all fields that it has. Without keys it stays as it is. */
export async function signMessage(raw: Buffer, signers: Signer[], date: Instant): Promise<Buffer> {
  const end = raw.indexOf('\r\n\r\n')
  const fields = raw.toString('utf8', 0, end).split(/\r\n(?![ \t])/)
  const names = oversignedNames(fields.map((field) => field.slice(0, field.indexOf(':'))))
  const about: SignedData = {
    fields: `${fields.map(relaxedField).join('\r\n')}\r\n`,
    bodyHash: createHash('sha256')
      .update(relaxedBody(raw.subarray(end + 4)))
      .digest('base64'),
    time: secondsOf(date),
  }
  const signatures = await Promise.all(signers.map((signer) => signatureField(signer, names)(about)))
  return Buffer.concat([...signatures.map((signature) => Buffer.from(`${signature}\r\n`, 'latin1')), raw])
}

const secondsOf = (date: Instant) => `${Math.floor(Date.parse(date) / 1000)}`

/** What a signature speaks of: the fields in their canonical form, and when it was made, in seconds. */
type SignedData = { fields: string; bodyHash: string; time: string }

/** Makes the `DKIM-Signature` of one key: around the time and the hash of the body it is the same for every copy. */
function signatureField({ domain, selector, key }: Signer, names: string[]): (about: SignedData) => Promise<string> {
  const isEd25519 = key.asymmetricKeyType === 'ed25519'
  const around = [
    `DKIM-Signature: v=1; a=${isEd25519 ? 'ed25519' : 'rsa'}-sha256; c=relaxed/relaxed; d=${domain};\r\n s=${selector}; t=`,
    `;\r\n h=${foldedNames(names)};\r\n bh=`,
    ';\r\n b=',
  ]
  const relaxed = relaxedField(around.join('\0')).split('\0')
  return async ({ fields, bodyHash, time }) => {
    const data = Buffer.from(fields + filled(relaxed, time, bodyHash), 'utf8')
    // RFC 8463 §3: Ed25519 signs the SHA-256 of the data.
    const bytes = isEd25519
      ? await signOnPool(null, createHash('sha256').update(data).digest(), key)
      : await signOnPool('sha256', data, key)
    return filled(around, time, bodyHash) + (bytes.toString('base64').match(/.{1,72}/g) ?? []).join('\r\n ')
  }
}

/** Five names a line: no line of a signature is longer than 96. */
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

/** RFC 6376 §3.4.4, of a piece that begins where a line does: white space within lines only, for none ends in any. */
function relaxedBody(piece: Buffer): Buffer {
  return Buffer.from(piece.toString('latin1').replace(/[ \t]+/g, ' '), 'latin1')
}
