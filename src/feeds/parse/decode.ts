import { isUtf8 } from 'node:buffer'
import { detectEncoding } from './encoding/detect-encoding.ts'

/**
 * Decodes text: by its byte order mark, else as UTF-8 if it is valid UTF-8, else by the charset of the header or the XML
 * declaration. Other bytes are read as UTF-8 mixed with Windows-1252, or in the legacy encoding that they look like.
 */
export function decodeText(bytes: Uint8Array, contentType: string | null): string {
  const bomEncoding = encodingFromBom(bytes)
  if (bomEncoding === 'utf-32le' || bomEncoding === 'utf-32be') return decodeUtf32(bytes, bomEncoding === 'utf-32le')
  if (bomEncoding === 'utf-8' && !isUtf8(bytes)) return decodeMixed(bytes).replace(/^\ufeff/, '')
  if (bomEncoding) return new TextDecoder(bomEncoding).decode(bytes)
  if (!bytes.includes(escapeByte) && isUtf8(bytes)) return utf8.decode(bytes)
  const declared = [headerCharset(contentType), declaredEncoding(bytes)].filter((label) => label !== null)
  const shiftsInAscii = declared.some((label) => /^(iso-2022|csiso2022)/i.test(label))
  if (!shiftsInAscii && isUtf8(bytes)) return utf8.decode(bytes)
  const legacyDecoder = declared
    .filter((label) => !/^(?:utf-?8|(?:us-)?ascii)$/i.test(label))
    .map(decoderFor)
    .find((decoder) => decoder !== null)
  const text = legacyDecoder?.decode(bytes)
  return text === undefined || isMostlyBroken(text) ? decodeUndeclared(bytes) : text
}

/** The declaration is wrong where more than one character in twenty beyond ASCII cannot be decoded. */
function isMostlyBroken(text: string): boolean {
  let broken = 0
  let others = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0xfffd) broken++
    else if (code > 0x7f) others++
  }
  return broken * 19 > others
}

function decodeUndeclared(bytes: Uint8Array): string {
  const detected = isMostlyUtf8(bytes) ? null : detectEncoding(bytes)
  return detected ? new TextDecoder(detected).decode(bytes) : decodeMixed(bytes)
}

/** One damaged character does not make a feed in UTF-8 one in another encoding. */
function isMostlyUtf8(bytes: Uint8Array): boolean {
  let balance = 0
  for (let at = 0; at < bytes.length; at++) {
    if ((bytes[at] ?? 0) < 0x80) continue
    const size = sequenceSize(bytes, at)
    balance += size > 0 ? 1 : -1
    at += Math.max(0, size - 1)
  }
  return balance >= 0
}

const utf8 = new TextDecoder('utf-8')

/** Starts the escape sequences of ISO 2022, which is valid UTF-8 too. */
const escapeByte = 0x1b

/** From the byte order mark, or the first characters of a document without one (XML 1.0, appendix F). */
function encodingFromBom(bytes: Uint8Array): string | null {
  if (bytes[0] === 0x3c && bytes[1] !== 0) return null // "<?xml", "<rss": nearly all documents
  const start = Buffer.from(bytes.subarray(0, 4)).toString('hex')
  if (start === 'fffe0000' || start === '3c000000') return 'utf-32le'
  if (start === '0000feff' || start === '0000003c') return 'utf-32be'
  if (start.startsWith('efbbbf')) return 'utf-8'
  if (start.startsWith('fffe') || /^(3c|7b)00(?!00)/.test(start)) return 'utf-16le'
  if (start.startsWith('feff') || /^00(3c|7b)/.test(start)) return 'utf-16be'
  return null
}

function headerCharset(contentType: string | null): string | null {
  return /charset\s*=\s*["']?([\w.:-]+)/i.exec(contentType ?? '')?.[1] ?? null
}

function declaredEncoding(bytes: Uint8Array): string | null {
  const start = Buffer.from(bytes.subarray(0, 1024)).toString('latin1')
  return /<\?xml[^>]{0,500}?encoding\s*=\s*["']\s*([\w.:-]+)/i.exec(start)?.[1] ?? null
}

function decoderFor(label: string): TextDecoder | null {
  try {
    return new TextDecoder(encodingAliases[label.toLowerCase()] ?? label)
  } catch {
    return null // unknown to the Encoding Standard
  }
}

/** Labels that programs use and the Encoding Standard does not have. */
const encodingAliases: Record<string, string> = {
  ...{ cp932: 'shift_jis', windows932: 'shift_jis', cp936: 'gbk', cp949: 'euc-kr', cp950: 'big5', big5hkscs: 'big5' },
  ...{ '8859_1': 'latin1', 'latin-1': 'latin1', 'iso-8859-1-windows-1252': 'latin1', macroman: 'macintosh' },
  ...{ 'win-1250': 'cp1250', 'win-1251': 'cp1251', 'win-1252': 'cp1252', koi8r: 'koi8-r', 'euc-cn': 'gbk' },
}

/** Well-formed UTF-8 sequences as UTF-8, all other bytes as Windows-1252, so that no text is lost. */
function decodeMixed(bytes: Uint8Array): string {
  const units = new Uint16Array(bytes.length) // a character has at least as many bytes as UTF-16 units
  let length = 0
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] ?? 0
    const size = lead < 0x80 ? 0 : sequenceSize(bytes, at)
    if (size === 0) {
      units[length++] = lead < 0x80 ? lead : (windows1252[lead - 0x80] ?? 0)
      at++
      continue
    }
    let code = lead & (0xff >> (size + 1))
    for (const end = at++ + size; at < end; at++) code = (code << 6) | ((bytes[at] ?? 0) & 0x3f)
    length = putCode(units, length, code)
  }
  return textFromUnits(units, length)
}

/** The bytes of the well-formed sequence that begins here, or 0 (Unicode, table 3-7). */
function sequenceSize(bytes: Uint8Array, at: number): number {
  const form = sequenceForms[(bytes[at] ?? 0) - 0x80]
  const second = bytes[at + 1] ?? 0
  if (!form || at + form.size > bytes.length || second < form.minSecond || second > form.maxSecond) return 0
  for (let next = at + 2; next < at + form.size; next++) if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0
  return form.size
}

/** By first byte, from 0x80. */
const sequenceForms = Array.from({ length: 128 }, (_, index) => {
  const lead = 0x80 + index
  if (lead < 0xc2 || lead > 0xf4) return null
  const size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  const minSecond = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const maxSecond = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  return { size, minSecond, maxSecond }
})

const windows1252 = Uint16Array.from({ length: 128 }, (_, index) =>
  new TextDecoder('windows-1252').decode(Uint8Array.of(0x80 + index)).charCodeAt(0),
)

/** Writes a code point as UTF-16; returns the next index. */
function putCode(units: Uint16Array, at: number, code: number): number {
  if (code < 0x10000) {
    units[at] = code
    return at + 1
  }
  units[at] = 0xd7c0 + (code >> 10)
  units[at + 1] = 0xdc00 | (code & 0x3ff)
  return at + 2
}

function textFromUnits(units: Uint16Array, length: number): string {
  return Buffer.from(units.buffer, 0, length * 2).toString('utf16le')
}

/** TextDecoder has no UTF-32, but some feeds use it. */
function decodeUtf32(bytes: Uint8Array, littleEndian: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const units = new Uint16Array(bytes.length)
  let length = 0
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const code = view.getUint32(at, littleEndian)
    if (code === 0xfeff && at === 0) continue
    const isCharacter = code <= 0x10ffff && (code & 0xfffff800) !== 0xd800
    length = putCode(units, length, isCharacter ? code : 0xfffd)
  }
  return textFromUnits(units, length)
}
