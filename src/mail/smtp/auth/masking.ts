import { decodeHTML } from 'entities'

const mask = '********'

/** Characters; shorter secrets would match everywhere in a dialogue. */
const minMaskedLength = 4
/** Characters; longer for text without spaces and punctuation, since a match there may span two words. */
const minHiddenLength = 6

/** Characters of a reply that are kept and shown; a reply may have 64 KB. */
const maxLength = 8000

/** Text that may be base64 (RFC 4648 §4) or base64url (§5), or a piece that a server cut out of it. */
const encodedRuns = [/[A-Za-z0-9+/]{8,}={0,2}/g, /[A-Za-z0-9_-]{8,}={0,2}/g]

/**
 * Removes secrets that the relay repeated: plain, in capitals, percent-encoded or in base64, whole or in part. If a
 * secret is found only in the decoded text without invisible characters, line ends and punctuation, all words are
 * removed.
 *
 * Returns at most 8,000 characters. Mask before cutting a text, since a secret that is cut short is not found.
 */
export function masker(secrets: () => string[]): (text: string) => string {
  return (whole) => {
    const text = whole.length > maxLength ? whole.slice(0, maxLength) : whole
    const found = secrets().filter(({ length }) => length >= minMaskedLength)
    if (found.length === 0) return text
    const plain = found.flatMap((secret) => [secret, encodeURIComponent(secret.toWellFormed())])
    const withoutPlain = plain.reduce((masked, form) => masked.replace(anyCase(form), mask), text)
    const maskRun = (run: string) => (isCramMd5(run) || found.some((secret) => isFrom(secret, run)) ? mask : run)
    const masked = encodedRuns.reduce((text, runs) => text.replace(runs, maskRun), withoutPlain)
    return isHiddenIn(masked, found) ? withoutWords(masked) : masked
  }
}

const anyCase = (text: string) => new RegExp(RegExp.escape(text), 'gi')

/** Whether the run is base64 of the secret, of a part of it, or of a text that contains it. */
function isFrom(secret: string, run: string): boolean {
  const text = run.replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/')
  const encoded = Buffer.from(secret).toString('base64')
  return encoded.toLowerCase().includes(text.toLowerCase()) || Buffer.from(text, 'base64').includes(secret)
}

/** Whether the run is a CRAM-MD5 response (RFC 2195), a name and a keyed hash that may reveal a weak password. */
function isCramMd5(run: string): boolean {
  return /^\S+ [0-9a-f]{32}$/.test(Buffer.from(run, 'base64').toString('latin1'))
}

/** Keeps the reply code and the enhanced status code. */
function withoutWords(reply: string): string {
  const [begin = ''] = /^\d{3}(?:[ -][245]\.\d{1,3}\.\d{1,3}(?=\s)|(?=[ -]))/.exec(reply) ?? []
  return begin === '' ? mask : `${begin} ${mask}`
}

function isHiddenIn(text: string, secrets: string[]): boolean {
  const forms = secrets.flatMap(hiddenForms)
  return readings(text).some((reading) => forms.some((form) => reading.includes(form)))
}

/** A secret in lower-case letters and digits: plain, in hexadecimal, and in base64 at each of the three offsets. */
function hiddenForms(secret: string): string[] {
  const bytes = Buffer.from(secret)
  const base64 = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    return compact(encoded.slice(offset === 0 ? 0 : offset + 1, (bytes.length + offset) % 3 === 0 ? undefined : -1))
  })
  return [compact(secret), bytes.toString('hex'), ...base64].filter(({ length }) => length >= minHiddenLength)
}

/** The letters and digits of the text, in lower case: as given, and decoded as HTML, JSON, URL or quoted-printable. */
function readings(text: string): string[] {
  const joined = text.replace(/[\r\n]\d{3}[ -](?:[245]\.\d{1,3}\.\d{1,3} )?/g, '')
  const decoded = decodeHTML(joined).replace(/\\u([0-9a-f]{4})|[\\=%]x?([0-9a-f]{2})/gi, (_, unit, byte) =>
    String.fromCharCode(Number.parseInt(unit ?? byte, 16)),
  )
  return [...new Set([joined, decoded].map(compact))]
}

function compact(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '')
}
