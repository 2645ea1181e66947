import type { ReasonOf } from '../../store/events/reason.ts'
import { alignWords, type Difference } from '../../text/align-words.ts'
import { keyOf, type Quantity, quantitiesOf, type Word, wordsOf } from './headline-words.ts'
import { exclusiveGroups, negations, progressions, roleWords, tallyWords } from './word-groups.ts'

/** `development`: the story went on. `rewording`: the same in other words. */
export type ChangeClass = 'correction' | 'development' | 'rewording'

export type ChangedFact = ReasonOf<'changed-fact'>

/** What kind of change it is, and the facts that differ; only a correction has facts. */
export type ClassifiedChange = { class: ChangeClass; facts: ChangedFact[] }

/** Below this share of common words it is another headline for a new turn of the story. */
export const minOverlap = 0.3
/** From this share of common words on, a fact that differs was changed, and not the whole headline. */
const minOverlapOfCorrection = 0.5

/** Classifies the change of a headline from `was` to `now`. */
export function classifyChange(was: string, now: string): ClassifiedChange {
  const [before, after] = [wordsOf(was), wordsOf(now)]
  const overlap = overlapOf(before, after)
  if (overlap < minOverlap) return { class: 'development', facts: [] }
  const numbers = changedNumbers(quantitiesOf(was), quantitiesOf(now))
  const { differences } = alignWords(before, after, ({ key }) => key, isSameWord)
  const hard = [...numbers.facts, ...changedNames(differences, before, after)]
  const removed = missingFrom(before, after)
  const added = missingFrom(after, before)
  const isProgress = numbers.hasGrown || progressions.some(([from, to]) => hasAny(removed, from) && hasAny(added, to))
  const soft = isProgress ? [] : [...changedNegation(before, after), ...changedMeaning(removed, added)]
  const facts = uniqueFacts([...hard, ...soft])
  if (facts.length > 0)
    return overlap < minOverlapOfCorrection ? { class: 'development', facts: [] } : { class: 'correction', facts }
  return { class: isProgress ? 'development' : 'rewording', facts: [] }
}

/** The share of words that two headlines have in common, from 0 to 1. */
export function headlineOverlap(one: string, other: string): number {
  return overlapOf(wordsOf(one), wordsOf(other))
}

/** Words that only moved are common too. */
function overlapOf(before: Word[], after: Word[]): number {
  const common = before.length - missingFrom(before, after).length
  return (2 * common) / Math.max(1, before.length + after.length)
}

const negationKeys = new Set([...negations].map(keyOf))
const roleKeys = new Set([...roleWords].map(keyOf))

/** Equal, or two forms of a word: a common beginning of four letters or more, and at most three letters after it. */
function isSameWord(one: Word, other: Word): boolean {
  if (one.key === other.key) return true
  if (one.isName && other.isName) return withoutPlural(one.key) === withoutPlural(other.key)
  const longest = Math.max(one.key.length, other.key.length)
  const shared = commonPrefix(one.key, other.key)
  return shared >= Math.max(4, longest - 3) && !areExclusive(one.key, other.key)
}

function withoutPlural(key: string): string {
  return key.replace(/'?s$/, '')
}

function commonPrefix(one: string, other: string): number {
  let length = 0
  while (length < one.length && one[length] === other[length]) length++
  return length
}

/** The words of a text that another one lacks. */
function missingFrom(words: Word[], others: Word[]): Word[] {
  return withoutMatches(words, others, isSameWord).left
}

/** Pairs each of `ones` with the first equal one of `others` that is free; returns those without a partner. */
function withoutMatches<T>(ones: T[], others: T[], isSame: (one: T, other: T) => boolean): { left: T[]; right: T[] } {
  const right = [...others]
  const left = ones.filter((one) => {
    const index = right.findIndex((other) => isSame(one, other))
    if (index >= 0) right.splice(index, 1)
    return index < 0
  })
  return { left, right }
}

/** Numbers that others have replaced. `hasGrown`: a number of victims or the like has grown. */
function changedNumbers(before: Quantity[], after: Quantity[]): { facts: ChangedFact[]; hasGrown: boolean } {
  const { left, right } = withoutMatches(before, after, isSameQuantity)
  const pairs = left.flatMap((one, index) => (right[index] ? [[one, right[index]] as const] : []))
  const grown = pairs.filter(
    ([one, other]) => other.value > one.value && other.near.some((word) => tallyWords.has(word)),
  )
  const changed = pairs.filter((pair) => !grown.includes(pair))
  return { facts: changed.map(([one, other]) => fact('number', one.text, other.text)), hasGrown: grown.length > 0 }
}

function isSameQuantity(one: Quantity, other: Quantity): boolean {
  if (one.unit !== other.unit && one.unit !== '' && other.unit !== '') return false
  if (one.value === other.value) return one.unit === other.unit || (one.unit !== '%' && other.unit !== '%')
  const isNear = Math.abs(one.value - other.value) <= Math.abs(one.value) * 0.1
  if (isNear && one.isRounded !== other.isRounded) return true
  const [precise, rounded] = digitsOf(one) > digitsOf(other) ? [one, other] : [other, one]
  const digits = digitsOf(rounded)
  return digits >= 2 && digits < digitsOf(precise) && Number(precise.value.toPrecision(digits)) === rounded.value
}

/** The significant digits of a number. */
function digitsOf({ value }: Quantity): number {
  return String(Math.abs(value))
    .replace('.', '')
    .replace(/^0+|0+$/g, '').length
}

const maxNameWords = 4

/** Names that stand in the place of others. */
function changedNames(differences: Difference<Word>[], before: Word[], after: Word[]): ChangedFact[] {
  return differences.flatMap(({ left: removed, right: added }) => {
    if (removed.length > maxNameWords || added.length > maxNameWords) return []
    const was = missingFrom(removed, after).filter(isProperName)
    const now = missingFrom(added, before).filter(isProperName)
    if (was.length === 0 || now.length === 0) return []
    if (isAbbreviation(was, added) || isAbbreviation(now, removed)) return []
    return was.some((one) => now.some((other) => isSameMeaning(one.key, other.key)))
      ? []
      : [fact('name', textOf(was), textOf(now))]
  })
}

function isProperName({ isName, key }: Word): boolean {
  return isName && !roleKeys.has(key)
}

/** UN for United Nations: one word whose letters are the first letters of the others. */
function isAbbreviation([short, ...rest]: Word[], long: Word[]): boolean {
  if (!short || rest.length > 0 || long.length < 2) return false
  return long
    .map(({ key }) => key[0])
    .join('')
    .includes(short.key)
}

function changedNegation(before: Word[], after: Word[]): ChangedFact[] {
  const [was, now] = [before, after].map((words) => words.find((word, index) => isNegation(word, words[index + 1])))
  if ((was === undefined) === (now === undefined)) return []
  return [fact(was ? 'negation-removed' : 'negation-added', was?.text ?? '', now?.text ?? '')]
}

/** "No 10" and "No. 5" deny nothing. */
function isNegation({ key }: Word, next: Word | undefined): boolean {
  if (key === 'no' && next !== undefined && /^\d/.test(next.key)) return false
  return negationKeys.has(key) || /n't$/.test(key)
}

/** Words in the place of others that exclude them, such as England for UK, or unsafe for safe. */
function changedMeaning(removed: Word[], added: Word[]): ChangedFact[] {
  return removed.flatMap((one) =>
    added
      .filter(
        (other) => areExclusive(one.key, other.key) || isPrefixed(one.key, other.key) || isPrefixed(other.key, one.key),
      )
      .map((other) => fact('meaning', one.text, other.text)),
  )
}

function isPrefixed(word: string, other: string): boolean {
  return word.length >= 4 && ['un', 'in', 'im', 'il', 'dis', 'non'].some((prefix) => other === prefix + word)
}

/** For each word, its meanings as `group.meaning`. */
const meanings = new Map<string, [group: number, meaning: number][]>()
for (const [group, lines] of exclusiveGroups.entries())
  for (const [meaning, line] of lines.entries())
    for (const word of line.split(' ')) {
      const key = keyOf(word)
      meanings.set(key, [...(meanings.get(key) ?? []), [group, meaning]])
    }

function areExclusive(one: string, other: string): boolean {
  return compareMeanings(one, other, (a, b) => a !== b) && !isSameMeaning(one, other)
}

function isSameMeaning(one: string, other: string): boolean {
  return compareMeanings(one, other, (a, b) => a === b)
}

function compareMeanings(one: string, other: string, holds: (a: number, b: number) => boolean): boolean {
  const others = meanings.get(other) ?? []
  return (meanings.get(one) ?? []).some(([group, a]) => others.some(([same, b]) => group === same && holds(a, b)))
}

function hasAny(words: Word[], line: string): boolean {
  const keys = line.split(' ').map(keyOf)
  return words.some(({ key }) => keys.includes(key))
}

function fact(kind: ChangedFact['fact'], was: string, now: string): ChangedFact {
  return { code: 'changed-fact', fact: kind, was, now }
}

function textOf(words: Word[]): string {
  return words.map(({ text }) => text).join(' ')
}

/** A changed name that is also a changed meaning is one fact. */
function uniqueFacts(facts: ChangedFact[]): ChangedFact[] {
  const seen = new Set<string>()
  return facts.filter(({ was, now }) => !seen.has(`${was}\n${now}`) && seen.add(`${was}\n${now}`))
}
