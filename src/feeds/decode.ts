import { isUtf8 } from 'node:buffer'

/**
 * Bytes → text. A byte order mark says it; else valid UTF-8 is UTF-8, whatever is declared (nothing else looks like it by
 * chance); else the header's charset, else the XML declaration's, where the bytes do not disprove them.
 */
export function decodeText(bytes: Uint8Array, contentType: string | null): string {
  const marked = markedEncoding(bytes)
  if (marked === 'utf-32le' || marked === 'utf-32be') return decodeUtf32(bytes, marked === 'utf-32le')
  if (marked) return new TextDecoder(marked).decode(bytes)
  if (!bytes.includes(shift) && isUtf8(bytes)) return utf8.decode(bytes)
  const declared = [headerCharset(contentType), declaredEncoding(bytes)].filter((label) => label !== null)
  const shiftsInAscii = declared.some((label) => /^(iso-2022|csiso2022)/i.test(label))
  if (!shiftsInAscii && isUtf8(bytes)) return utf8.decode(bytes)
  const legacy = declared
    .filter((label) => !/^utf-?8$/i.test(label))
    .map(decoderFor)
    .find((decoder) => decoder !== null)
  return legacy ? legacy.decode(bytes) : decodeMixed(bytes)
}

const utf8 = new TextDecoder('utf-8')

/** With it ISO 2022 leaves ASCII. */
const shift = 0x1b

/** XML 1.0 appendix F: the mark, or the first characters of a document without one. */
function markedEncoding(bytes: Uint8Array): string | null {
  if (bytes[0] === 0x3c && bytes[1] !== 0) return null // "<?xml", "<rss": what nearly all begin with
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
    return new TextDecoder(otherNames[label.toLowerCase()] ?? label)
  } catch {
    return null // a label that the Encoding Standard does not know
  }
}

/** Names that programs use and the Encoding Standard does not know. */
const otherNames: Record<string, string> = {
  ...{ cp932: 'shift_jis', windows932: 'shift_jis', cp936: 'gbk', cp949: 'euc-kr', cp950: 'big5', big5hkscs: 'big5' },
  ...{ '8859_1': 'latin1', 'latin-1': 'latin1', 'iso-8859-1-windows-1252': 'latin1', macroman: 'macintosh' },
  ...{ 'win-1250': 'cp1250', 'win-1251': 'cp1251', 'win-1252': 'cp1252', koi8r: 'koi8-r', 'euc-cn': 'gbk' },
}

/** What is UTF-8 is read so, and every byte that is not as the Western one that half of the web writes: no text is lost. */
function decodeMixed(bytes: Uint8Array): string {
  const western = new TextDecoder('windows-1252')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString('latin1')
    .replace(foreign, (found) => {
      const run = Buffer.from(found, 'latin1')
      return (isUtf8(run) ? utf8 : western).decode(run)
    })
}

const foreign =
  /(?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}){1,100}|[\x80-\xff]{1,100}?/g

/** The Encoding Standard leaves UTF-32 out; feeds in it exist. */
function decodeUtf32(bytes: Uint8Array, littleEndian: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const parts: string[] = []
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const code = view.getUint32(at, littleEndian)
    if (code === 0xfeff && at === 0) continue
    parts.push(code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code))
  }
  return parts.join('')
}
