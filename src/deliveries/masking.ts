const mask = '********'

/** Shorter texts would be found everywhere in a dialogue. */
const minimumMasked = 4

/** What may be base64 (RFC 4648, section 4, and for addresses, section 5), or a piece of it that a server cut out. */
const encodedRuns = [/[A-Za-z0-9+/]{8,}={0,2}/g, /[A-Za-z0-9_-]{8,}={0,2}/g]

/**
 * Takes what is secret out of a text, should the relay have repeated it: as it is, in capitals, percent-encoded, or in
 * base64, whole or in part and with other text around it.
 */
export function masker(secrets: () => string[]): (text: string) => string {
  return (text) => {
    const found = secrets().filter(({ length }) => length >= minimumMasked)
    if (found.length === 0) return text
    const plain = found.flatMap((secret) => [secret, encodeURIComponent(secret.toWellFormed())])
    const withoutPlain = plain.reduce((masked, form) => masked.replace(anyCase(form), mask), text)
    const maskRun = (run: string) => (found.some((secret) => isFrom(secret, run)) ? mask : run)
    return encodedRuns.reduce((masked, runs) => masked.replace(runs, maskRun), withoutPlain)
  }
}

const anyCase = (text: string) => new RegExp(RegExp.escape(text), 'gi')

/** Whether the run is base64 of the secret, of a piece of it, or of a text that it is in. */
function isFrom(secret: string, run: string): boolean {
  const text = run.replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/')
  const encoded = Buffer.from(secret).toString('base64')
  return encoded.toLowerCase().includes(text.toLowerCase()) || Buffer.from(text, 'base64').includes(secret)
}
