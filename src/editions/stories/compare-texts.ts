import { alignWords, type Difference } from '../../text/align-words.ts'
import {
  hashOfWord,
  kindOfWord,
  maxFingerprintWords,
  type TextFingerprint,
  type WordKind,
} from '../../text/text-fingerprint.ts'

/**
 * `same`: nearly the same words, and no difference that matters. `conflict`: nearly the same words, but another number,
 * name, negation or other decisive word. `similar`: much in common. `different`: little in common. `unknown`: one is
 * missing, or too short to tell.
 */
export type TextRelation = 'same' | 'conflict' | 'similar' | 'different' | 'unknown'

/** A shorter text proves nothing unless it is equal word for word. */
export const minTextWords = 25
/** Shares of the shorter text's words that both have: at least for a copy or similar texts, at most for different texts. */
const minCopyShare = 0.88
const minSimilarShare = 0.6
const maxDifferentShare = 0.45
/** In the first words, which say what happened, no word may be replaced, and later only few, in a long text. */
const beginningWords = 15
const minWordsToReplace = 40
const maxReplaced = 2
/** A dateline, a byline or a kicker before the text of an agency. */
const maxPreface = 8

export function compareTexts(one: TextFingerprint | null, other: TextFingerprint | null): TextRelation {
  if (one === null || other === null) return 'unknown'
  const [short, long] = one.words.length <= other.words.length ? [one, other] : [other, one]
  if (isEqual(short, long)) return 'same'
  const { equal, differences } = alignWords([...short.words], [...long.words], hashOfWord)
  const inner = differences.filter((difference) => !isPreface(difference) && !isRest(difference))
  const preface = differences.filter(isPreface).reduce((sum, { left }) => sum + left.length, 0)
  const length = Math.max(1, short.words.length - preface)
  const share = equal / length
  if (share < maxDifferentShare) return short.words.length < 3 && equal > 0 ? 'unknown' : 'different'
  if (share < minSimilarShare) return 'unknown'
  if (inner.some(isDecisive) || hasOtherNumbers(short, long)) return 'conflict'
  if (short.words.length < minTextWords) return 'similar'
  return share >= minCopyShare && isHarmless(inner, short.words.length) ? 'same' : 'similar'
}

function isEqual(one: TextFingerprint, other: TextFingerprint): boolean {
  if (one.count !== other.count || one.numbers !== other.numbers) return false
  return one.words.every((word, index) => hashOfWord(word) === hashOfWord(other.words[index] ?? 0))
}

/** Words that only one text has before the common ones, and that turn nothing around. */
function isPreface({ left, right, at }: Difference<number>): boolean {
  if (at !== 'start' || (left.length > 0 && right.length > 0)) return false
  const words = [...left, ...right]
  return words.length <= maxPreface && !words.some((word) => kindOfWord(word) === 'negation')
}

/** The rest of a text that the other one cuts off. */
function isRest({ left, right, at }: Difference<number>): boolean {
  return at === 'end' && Math.min(left.length, right.length) === 0
}

const decisiveKinds: readonly WordKind[] = ['number', 'name', 'negation', 'decisive']

/** Whether the words that differ may change the message. */
function isDecisive({ left, right }: Difference<number>): boolean {
  const isReplaced = left.length > 0 && right.length > 0
  return [...left, ...right].some((word) => {
    const kind = kindOfWord(word)
    return decisiveKinds.includes(kind) || (isReplaced && kind === 'sentenceStart')
  })
}

function isHarmless(differences: Difference<number>[], length: number): boolean {
  const replaced = differences.filter(({ left, right }) => left.some(isMeaningful) && right.some(isMeaningful))
  if (replaced.some(({ position }) => position < beginningWords)) return false
  return replaced.length <= (length >= minWordsToReplace ? maxReplaced : 0)
}

function isMeaningful(word: number): boolean {
  return kindOfWord(word) !== 'filler'
}

/** For two whole texts beyond the recorded words: whether figures differ further down. */
function hasOtherNumbers(one: TextFingerprint, other: TextFingerprint): boolean {
  if (one.count <= maxFingerprintWords || other.count <= maxFingerprintWords) return false
  const isWhole = Math.abs(one.count - other.count) <= 0.02 * Math.max(one.count, other.count)
  return isWhole && one.numbers !== other.numbers
}
