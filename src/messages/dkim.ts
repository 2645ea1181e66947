import { createHash, type KeyObject, sign } from 'node:crypto'
import type { Copy, Letter, Memory, Message } from './mime.ts'
import { assembler, encodeLetter } from './mime.ts'

/** One key that signs for one domain: RSA, or Ed25519 (RFC 8463). */
export type Signer = { domain: string; selector: string; key: KeyObject }

/**
 * What is signed: all that a reader sees or that says how to leave. `List-Unsubscribe-Post` must be (RFC 8058 §4); From
 * stands twice, so that a second From put above ours breaks the signature (RFC 6376 §8.15).
 */
const signed = [
  'From',
  'From',
  'To',
  'Subject',
  'Date',
  'Message-ID',
  'Reply-To',
  'List-Id',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
  'Feedback-ID',
  'MIME-Version',
  'Content-Type',
]

/**
 * Like `compileLetter`, and signs each copy (RFC 6376, relaxed/relaxed) with each key, on the thread pool. The body is
 * brought into its canonical form once, around the places of the key; per copy it is only hashed, from its first key on.
 */
export function compileSigned(
  letter: Letter,
  signers: Signer[],
  memory: Memory = Buffer.allocUnsafeSlow,
): (copy: Copy) => Promise<Message> {
  const { head, body } = encodeLetter(letter)
  const [first = Buffer.alloc(0), ...rest] = body.map(relaxedBody)
  const assemble = assembler(body, memory)
  const begun = createHash('sha256').update(first)
  return async (copy) => {
    const { fields, envelope, messageId } = head(copy)
    const hash = begun.copy()
    for (const piece of rest) hash.update(copy.key, 'latin1').update(piece)
    const about = { fields: signedFields(fields), bodyHash: hash.digest('base64'), date: copy.date }
    const signatures = await Promise.all(signers.map((signer) => signatureField(signer, about)))
    return { envelope, messageId, pieces: assemble([...signatures, ...fields], copy.key) }
  }
}

type About = { fields: string; bodyHash: string; date: string }

async function signatureField({ domain, selector, key }: Signer, about: About): Promise<string> {
  const ed25519 = key.asymmetricKeyType === 'ed25519'
  const unsigned = [
    `DKIM-Signature: v=1; a=${ed25519 ? 'ed25519' : 'rsa'}-sha256; c=relaxed/relaxed; d=${domain};`,
    ` s=${selector}; t=${Math.floor(Date.parse(about.date) / 1000)};`,
    ` h=${signed.slice(0, 7).join(':')}:`,
    `  ${signed.slice(7).join(':')};`,
    ` bh=${about.bodyHash};`,
    ' b=',
  ].join('\r\n')
  const data = Buffer.from(about.fields + relaxedField(unsigned), 'utf8')
  // RFC 8463 §3: Ed25519 signs the SHA-256 of the data.
  const bytes = ed25519
    ? await signOnPool(null, createHash('sha256').update(data).digest(), key)
    : await signOnPool('sha256', data, key)
  return unsigned + (bytes.toString('base64').match(/.{1,72}/g) ?? []).join('\r\n ')
}

function signOnPool(algorithm: string | null, data: Buffer, key: KeyObject): Promise<Buffer> {
  return new Promise((resolve, reject) =>
    sign(algorithm, data, key, (error, signature) => (error ? reject(error) : resolve(signature))),
  )
}

/** The fields that are signed, in canonical form and in the order of `h=`; one that is named once too often is none. */
function signedFields(fields: string[]): string {
  const byName = new Map(fields.map((field) => [field.slice(0, field.indexOf(':')), field]))
  let text = ''
  for (const name of signed) {
    const field = byName.get(name)
    if (field !== undefined) text += `${relaxedField(field)}\r\n`
    byName.delete(name)
  }
  return text
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
