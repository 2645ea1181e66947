import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw, zstdDecompress } from 'node:zlib'

/** Thrown for a body that is larger than the limit, broken, or in an unknown coding. */
export class UnpackError extends Error {}

/**
 * Undoes `Content-Encoding` (RFC 9110 §8.4), the last coding first. Throws UnpackError; never holds more than
 * `maximumBytes` of the result.
 */
export async function unpack(
  bytes: Uint8Array,
  contentEncoding: string | null,
  maximumBytes: number,
): Promise<Uint8Array> {
  let result = bytes
  for (const coding of contentCodings(contentEncoding)) result = await unpackCoding(result, coding, maximumBytes)
  return result
}

/** Whether the bytes begin as gzip (RFC 1952 §2.3.1), as a file `feed.xml.gz` does without a Content-Encoding. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

function contentCodings(header: string | null): string[] {
  const names = (header ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
  return names
    .filter((name) => name !== '' && name !== 'identity')
    .reverse()
    .slice(0, 3)
}

async function unpackCoding(bytes: Uint8Array, coding: string, maximumBytes: number): Promise<Uint8Array> {
  if (bytes.length === 0) return bytes
  if (!knownCodings.has(coding)) return unpackUnknown(bytes, coding)
  const options = { maxOutputLength: maximumBytes }
  try {
    if (coding === 'gzip' || coding === 'x-gzip') return await gunzipBytes(bytes, options)
    if (coding === 'br') return await brotliBytes(bytes, options)
    if (coding === 'zstd') return await zstdBytes(bytes, options)
    // Some servers send zlib and others raw deflate; the first byte tells (RFC 1950 §2.2).
    return await (((bytes[0] ?? 0) & 0x0f) === 8 ? zlibBytes : rawBytes)(bytes, options)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
      throw new UnpackError(`more than ${maximumBytes} bytes once unpacked`)
    if (isMarkup(bytes)) return bytes // the header names a coding that was not applied
    throw new UnpackError(`broken ${coding} data`)
  }
}

const knownCodings = new Set(['gzip', 'x-gzip', 'br', 'zstd', 'deflate'])

/** Servers name codings that are none (`aws-chunked`, `utf-8`, `none`): the bytes are what they would be without a header. */
function unpackUnknown(bytes: Uint8Array, coding: string): Uint8Array {
  if (isGzip(bytes) || isMarkup(bytes)) return bytes
  throw new UnpackError(`packed as "${coding}", which is not supported`)
}

/** Bytes that are searched for control characters, which packed data has and text has not. */
const sampleBytes = 512

/** Whether the bytes begin as XML, HTML or JSON does, in any encoding of text, also behind the warning of a program. */
function isMarkup(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, sampleBytes)).toString('latin1')
  const isWide = /^(?:\xff\xfe|\xfe\xff|<\0|\0<)/.test(start) // UTF-16
  const text = isWide ? start.replaceAll('\0', '') : start
  return /<|^(?:\xef\xbb\xbf)?\s*[{[]/.test(text) && !controlCharacter.test(text)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: this is what it looks for
const controlCharacter = /[\u0000-\u0008\u000e-\u001f]/

const gunzipBytes = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(gunzip)
const brotliBytes = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(brotliDecompress)
const zstdBytes = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(zstdDecompress)
const zlibBytes = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflate)
const rawBytes = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflateRaw)
