const lineLimit = 76 // RFC 2045 §6.7 rule 5, with the "=" of a soft line end
const hex = '0123456789ABCDEF'

/**
 * Encodes text as quoted-printable (RFC 2045 §6.7), and returns the pieces before, between and after the slots. Each slot
 * is on its own encoded line, so that an ASCII value of its length changes no other byte. A dot or "From " at the start of
 * a line is encoded, so that neither SMTP nor a mailbox has to escape it.
 */
export function quotedPrintable(text: string, slot: string): Buffer[] {
  const pieces = text.replace(/\r\n|\r|\n/g, '\r\n').split(slot)
  return pieces.map((piece, index) => {
    const body = encode(Buffer.from(piece, 'utf8'))
    const opens = index > 0 ? '=\r\n' : '' // soft line break after the slot
    const closes = index < pieces.length - 1 && !endsLine(body) ? '=\r\n' : ''
    return Buffer.from(opens + body + closes, 'latin1')
  })
}

function endsLine(body: string): boolean {
  return body === '' || body.endsWith('\r\n')
}

function encode(bytes: Buffer): string {
  let out = ''
  let line = ''
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] as number
    if (byte === 13 && bytes[index + 1] === 10) {
      out += `${escapeTrailingSpace(line)}\r\n`
      line = ''
      index++
      continue
    }
    const length = isPlain(byte) ? 1 : 3
    if (line.length + length > lineLimit - 1) {
      out += `${line}=\r\n`
      line = ''
    }
    line +=
      isPlain(byte) && !(line === '' && needsEscapeAtLineStart(bytes, index))
        ? String.fromCharCode(byte)
        : escaped(byte)
  }
  return out + escapeTrailingSpace(line)
}

function isPlain(byte: number): boolean {
  return (byte >= 32 && byte <= 126 && byte !== 61) || byte === 9
}

/** A dot, or the start of "From ". */
function needsEscapeAtLineStart(bytes: Buffer, index: number): boolean {
  return bytes[index] === 46 || (bytes[index] === 70 && bytes[index + 1] === 114)
}

function escaped(byte: number): string {
  return `=${hex[byte >> 4]}${hex[byte & 15]}`
}

/** White space before a line end could be lost in transport (RFC 2045 §6.7 rule 3). */
function escapeTrailingSpace(line: string): string {
  if (!/[ \t]$/.test(line)) return line
  const blank = escaped(line.charCodeAt(line.length - 1))
  const kept = line.slice(0, -1)
  return kept.length + blank.length > lineLimit - 1 ? `${kept}=\r\n${blank}` : kept + blank
}
