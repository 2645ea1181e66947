import { analyse } from 'chardet'
import { likelyEncodings } from './hints.ts'
import { strangeShare, thaiConfidence } from './plausible-text.ts'

/**
 * The legacy encoding of bytes that are not UTF-8 and declare nothing true, or null if they are Western or unknown. At most
 * 64 KB of the text are looked at; the language that the document names reorders the candidates.
 */
export function detectEncoding(bytes: Uint8Array): string | null {
  const sample = sampleOfText(bytes)
  if (sample.length === 0) return null
  const likely = likelyEncodings(bytes)
  const confidence = new Map<string, number>(likely.map((label) => [label, 0]))
  confidence.set('windows-874', thaiConfidence(new TextDecoder('windows-874').decode(sample)))
  for (const match of analyse(sample))
    for (const label of labels.get(match.name.toLowerCase()) ?? [])
      confidence.set(label, Math.max(match.confidence, confidence.get(label) ?? 0))
  const ranked = [...confidence]
    .map(([label, value]) => ({ label, score: score(sample, label, value, likely) }))
    .filter(({ score }) => score > minScore)
    .toSorted((one, other) => other.score - one.score)
  const best = ranked[0]?.label
  return best === undefined || best === 'windows-1252' ? null : best
}

const minScore = 5
/** Confidence is 0 to 100. A named language outweighs all but a sure guess. */
const likelyBonus = 40
const maxSampleBytes = 64 * 1024

function score(sample: Uint8Array, label: string, confidence: number, likely: string[]): number {
  const strange = strangeShare(new TextDecoder(label).decode(sample))
  return confidence + (likely.includes(label) ? likelyBonus : 0) - 100 * strange
}

/** chardet's names → labels of the Encoding Standard. KOI8-U has the letters of KOI8-R, windows-1255 those of ISO-8859-8. */
const labels = new Map([
  ...'Shift_JIS EUC-JP Big5 EUC-KR GB18030 ISO-8859-2 ISO-8859-5 ISO-8859-6'.toLowerCase().split(' ').map(sameLabel),
  ...[1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258].map((page) => sameLabel(`windows-${page}`)),
  ['koi8-r', ['koi8-u']],
  ['iso-8859-1', ['windows-1252']],
  ['iso-8859-7', ['windows-1253', 'iso-8859-7']],
  ['iso-8859-8', ['windows-1255']],
  ['iso-8859-9', ['windows-1254']],
] satisfies [string, string[]][])

function sameLabel(name: string): [string, string[]] {
  return [name, [name]]
}

/** The words that are not ASCII, outside tags, one space between two. */
function sampleOfText(bytes: Uint8Array): Uint8Array {
  const sample = new Uint8Array(maxSampleBytes)
  let length = 0
  let wordStart = 0
  let hasHighByte = false
  for (let at = 0; at <= bytes.length && length < maxSampleBytes; at++) {
    const byte = bytes[at] ?? space
    if (byte >= 0x80) hasHighByte = true
    if (byte > space && byte !== lessThan && byte !== greaterThan) continue
    if (hasHighByte) {
      const word = bytes.subarray(wordStart, Math.min(at, wordStart + maxSampleBytes - length - 1))
      sample.set(word, length)
      length += word.length
      sample[length++] = space
    }
    hasHighByte = false
    wordStart = at + 1
  }
  return sample.subarray(0, length)
}

const space = 0x20
const lessThan = 0x3c
const greaterThan = 0x3e
