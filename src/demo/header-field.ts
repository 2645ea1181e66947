/**
 * Returns the decoded value of the first field with this name, or ''. Does not parse the message, since the catcher may
 * hold thousands and parses one only when it is opened.
 */
export function headerField(message: Uint8Array, name: string): string {
  const field = unfold(headerOf(message)).find(
    (line) => line.slice(0, name.length + 1).toLowerCase() === `${name.toLowerCase()}:`,
  )
  return field ? decodeWords(field.slice(name.length + 1).trim()) : ''
}

/** All fields in order, with decoded values. */
export function headerFields(message: Uint8Array): { name: string; value: string }[] {
  return unfold(headerOf(message)).map((line) => {
    const colon = line.indexOf(':')
    return { name: line.slice(0, colon), value: decodeWords(line.slice(colon + 1).trim()) }
  })
}

function headerOf(message: Uint8Array): string {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength)
  const ends = [bytes.indexOf('\r\n\r\n'), bytes.indexOf('\n\n')].filter((end) => end >= 0)
  return bytes.subarray(0, ends.length ? Math.min(...ends) : bytes.length).toString('utf8')
}

function unfold(header: string): string[] {
  return header
    .replace(/\r?\n(?=[ \t])/g, '')
    .split(/\r?\n/)
    .filter((line) => line.indexOf(':') > 0)
}

const encodedWords = /=\?([^?\s]+)\?([bq])\?([^?\s]*)\?=(?:\s+(?==\?[^?\s]+\?[bq]\?[^?\s]*\?=))?/gi

/** Decodes encoded words, and removes white space between two of them (RFC 2047). */
function decodeWords(value: string): string {
  return value.replace(encodedWords, (word, charset: string, encoding: string, text: string) => {
    try {
      return new TextDecoder(charset.replace(/\*.*$/, '')).decode(wordBytes(encoding, text))
    } catch {
      return word // an unknown charset
    }
  })
}

function wordBytes(encoding: string, text: string): Uint8Array {
  if (encoding.toLowerCase() === 'b') return Buffer.from(text, 'base64')
  const latin1 = text
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  return Buffer.from(latin1, 'latin1')
}
