import { decisiveWords, emptyWords, negations, smallWords, timesAndNumbers } from './meaning-words.ts'

/** What a differing word does to the meaning: `plain` may be a synonym, `filler` nothing; the others make it another text. */
export const wordKinds = ['plain', 'filler', 'number', 'name', 'negation', 'sentenceStart', 'decisive'] as const
export type WordKind = (typeof wordKinds)[number]

/** A word as written, its folded form for comparing, and its kind. */
export type TextWord = { text: string; kind: WordKind }

/**
 * The constant-size record of a text: each of its first 128 words as 13 bits of hash and 3 bits of kind, hashes of some
 * four-word groups for finding similar texts, and a hash of all its numbers.
 */
export type TextFingerprint = { count: number; numbers: number; keys: Uint32Array; words: Uint16Array }

/** Raised when hashes, kinds or layout change; a record of another version counts as unknown. */
const version = 1
export const maxFingerprintWords = 128
/** The keys come from the beginning alone and from all recorded words, so that a cut text still shares some. */
const beginningWords = 32
const keysPerPart = 6
const groupLength = 4
/** Characters that are read; longer texts are cut in the store anyway. */
const maxLength = 20_000
const headerBytes = 7

/** Base64 of the fingerprint of a plain text; empty for a text without words. */
export function fingerprintText(text: string): string {
  const words = splitIntoWords(text.slice(0, maxLength))
  if (words.length === 0) return ''
  const hashes = words.map((word) => hashWord(word.text))
  const kept = Math.min(words.length, maxFingerprintWords)
  const keys = new Set([...lowestGroups(hashes.slice(0, beginningWords)), ...lowestGroups(hashes.slice(0, kept))])
  const bytes = Buffer.alloc(headerBytes + keys.size * 4 + kept * 2)
  bytes.writeUInt8(version, 0)
  bytes.writeUInt16LE(Math.min(words.length, 0xffff), 1)
  const numbers = words.filter(({ kind, text: word }) => kind === 'number' && /\d/.test(word))
  bytes.writeUIntLE(hashWord(numbers.map((word) => word.text).join(' ')) & 0xffffff, 3, 3)
  bytes.writeUInt8(keys.size, 6)
  let at = headerBytes
  for (const key of keys) at = bytes.writeUInt32LE(key, at)
  for (const [index, word] of words.slice(0, kept).entries())
    at = bytes.writeUInt16LE((((hashes[index] ?? 0) & 0x1fff) << 3) | wordKinds.indexOf(word.kind), at)
  return bytes.toString('base64')
}

/** Reads what `fingerprintText` wrote; null for an empty text and for another version. */
export function readFingerprint(fingerprint: string | null): TextFingerprint | null {
  if (!fingerprint) return null
  const bytes = Buffer.from(fingerprint, 'base64')
  if (bytes.length < headerBytes || bytes[0] !== version) return null
  const keyCount = bytes.readUInt8(6)
  const start = headerBytes + keyCount * 4
  return {
    count: bytes.readUInt16LE(1),
    numbers: bytes.readUIntLE(3, 3),
    keys: Uint32Array.from({ length: keyCount }, (_, index) => bytes.readUInt32LE(headerBytes + index * 4)),
    words: Uint16Array.from({ length: (bytes.length - start) >> 1 }, (_, index) =>
      bytes.readUInt16LE(start + index * 2),
    ),
  }
}

/** The 13 bits of hash of a recorded word. */
export function hashOfWord(word: number): number {
  return word >> 3
}

export function kindOfWord(word: number): WordKind {
  return wordKinds[word & 7] ?? 'plain'
}

// "1,200", "7:30", "22nd"; "M4", "l'école"; currency and percent signs
const wordPattern = /[£$€¥%]|\p{N}+(?:[.,:]\p{N}+)*\p{L}*|\p{L}[\p{L}\p{M}\p{N}]*(?:['’][\p{L}\p{M}]+)*/gu

/** The words of a text, folded and without endings such as plural or past tense, with their kinds. */
export function splitIntoWords(text: string): TextWord[] {
  const words: TextWord[] = []
  let end = 0
  const normal = text.normalize('NFC')
  for (const match of normal.matchAll(wordPattern)) {
    const between = normal.slice(end, match.index)
    const isFirst = words.length === 0 || /[.!?:;“”"„«»‘—–|•(\n]/.test(between)
    words.push(toWord(match[0], isFirst))
    end = match.index + match[0].length
  }
  return words
}

function toWord(written: string, isFirst: boolean): TextWord {
  const word = foldWord(written)
  if (/\p{N}/u.test(word) || /^[£$€¥%]$/.test(word))
    return { text: word.replace(/[.,](?=\d{3}(?!\d))/g, ''), kind: 'number' }
  if (negations.has(word)) return { text: word, kind: 'negation' }
  const isCapital = /^\p{Lu}/u.test(written.replace(elision, ''))
  if (timesAndNumbers.has(word) && !(word === 'may' && !isCapital)) return { text: word, kind: 'number' }
  if (emptyWords.has(word) || smallWords.has(word)) return { text: word, kind: 'filler' }
  if (isCapital && !isFirst) return { text: word, kind: 'name' }
  if (decisiveWords.has(word) || /^(?:un(?![ditu]|emp)|dis(?![ctp])|non|mis(?![st]))\p{L}{4}/u.test(word))
    return { text: word, kind: 'decisive' }
  return { text: withoutEnding(word), kind: isCapital ? 'sentenceStart' : 'plain' }
}

/** French: "l'école", "d'Orléans", "qu'il". */
const elision = /^(?:l|d|qu|s|j|m|t|c|n)['’]/i

function foldWord(written: string): string {
  return written
    .replace(elision, '')
    .replace(/['’]s$/i, '')
    .normalize('NFKD')
    .replace(/\p{M}+|['’]/gu, '')
    .toLowerCase()
}

function withoutEnding(word: string): string {
  return word.length < 5 ? word : word.replace(/(?<=.{3})(?:ies|ing|ed|es|s|e|y)$/, '')
}

/** 32 bits of FNV-1a over the UTF-16 units of a text. */
function hashWord(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return (hash ^ (hash >>> 15)) >>> 0
}

/** The lowest hashes of the groups of four words in a row. */
function lowestGroups(hashes: number[]): number[] {
  const groups = new Set<number>()
  const length = Math.min(groupLength, hashes.length)
  for (let start = 0; start + length <= hashes.length; start++) {
    let hash = 0x811c9dc5
    for (let index = start; index < start + length; index++) hash = Math.imul(hash ^ (hashes[index] ?? 0), 0x01000193)
    groups.add((hash ^ (hash >>> 13)) >>> 0)
  }
  return [...groups].sort((a, b) => a - b).slice(0, keysPerPart)
}
