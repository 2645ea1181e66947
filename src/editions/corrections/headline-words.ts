import { approximations, multipliers, numberWords, unitSigns } from './word-groups.ts'

/** A word of a headline. `key`: lower case, without accents and possessive; `isName`: a capital tells that it is one. */
export type Word = { text: string; key: string; isName: boolean }

/** A number with its sign of currency or `%`, as printed, and the words around it. */
export type Quantity = { text: string; value: number; unit: string; isRounded: boolean; near: string[] }

const wordSegmenter = new Intl.Segmenter('en', { granularity: 'word' })
const maxWords = 120

/** The words of a text, the first 120. */
export function wordsOf(text: string): Word[] {
  const words: Word[] = []
  const isPlain = hasPlainCase(text)
  let startsSentence = true
  for (const { segment, isWordLike } of wordSegmenter.segment(text.normalize('NFC'))) {
    if (!isWordLike) {
      if (/[.?!:|–—“"‘([]/.test(segment)) startsSentence = true
      continue
    }
    const isAcronym = /^\p{Lu}{2,}$/u.test(segment)
    const isName = isPlain && (isAcronym || (/^\p{Lu}/u.test(segment) && !startsSentence))
    words.push({ text: segment, key: keyOf(segment), isName })
    startsSentence = false
    if (words.length === maxWords) break
  }
  return words
}

/** Lower case, without accents, possessive and typographic apostrophes. */
export function keyOf(word: string): string {
  const plain = word.toLowerCase().replace(/’/g, "'")
  return plain.replace(/'s$/, '').normalize('NFD').replace(/\p{M}/gu, '')
}

/** Whether capitals mark names: not in a headline in title case or in capitals, and not in German. */
function hasPlainCase(text: string): boolean {
  if (
    /(?<!\p{L})(?:der|die|das|den|dem|des|und|nicht|mit|für|von|zu|auf|bei|ein|eine|im|ist|wird|nach|aus)(?!\p{L})/u.test(
      text,
    )
  )
    return false
  const long = text.match(/\p{L}[\p{L}\p{M}]{3,}/gu) ?? []
  const capitals = long.slice(1).filter((word) => /^\p{Lu}/u.test(word))
  return long.length < 4 || capitals.length <= (long.length - 1) * 0.6
}

// 1,500 · -0.3 · £1.5m · 5 per cent · 3rd
const quantityPattern =
  /(?<sign>\p{Sc}\s?)?(?<minus>(?<![\p{L}\p{N}])[-−–](?=\d))?(?<digits>\d{1,15}(?:[.,:]\d{1,6}){0,4})(?:st|nd|rd|th)?(?:[\s-]?(?<word>%|\p{Sc}|\p{L}{1,12}))?/u

/** The numbers of a text in digits and in words, the first 20. */
export function quantitiesOf(text: string): Quantity[] {
  const spelled = text
    .replace(/\bper cent\b|\bpour cent\b|\bpor ciento\b|\bper cento\b|\by cant\b/gi, '%')
    .replace(/\p{L}+/gu, (word) => String(numberWords.get(word.toLowerCase()) ?? word))
  const quantities: Quantity[] = []
  for (const match of spelled.matchAll(new RegExp(quantityPattern, 'gu'))) {
    const { sign = '', minus = '', digits = '', word = '' } = match.groups ?? {}
    const after = spelled.slice(match.index + match[0].length)
    const times = multipliers.get(word.toLowerCase())
    const next = times === undefined ? word : (/^[\s-]?(\p{L}+|\p{Sc})/u.exec(after)?.[1] ?? '')
    const unit = sign.trim() || unitSigns.get(next.toLowerCase()) || (/^[%\p{Sc}]/u.test(next) ? next : '')
    const value = numberOf(digits) * (times ?? 1) * (minus === '' ? 1 : -1)
    const before = wordsIn(spelled.slice(0, match.index)).slice(-4)
    const isRounded = before.slice(-2).some((one) => approximations.has(one))
    const near = [...before, ...wordsIn(word + after).slice(0, 4)]
    quantities.push({
      text: `${minus}${sign}${digits}${times === undefined ? '' : ` ${word}`}`,
      value,
      unit,
      isRounded,
      near,
    })
    if (quantities.length === 20) break
  }
  return quantities
}

function wordsIn(text: string): string[] {
  return text.toLowerCase().match(/\p{L}+/gu) ?? []
}

function numberOf(digits: string): number {
  if (digits.includes(':')) return Number(digits.replace(/[.,]/g, '').replace(/:/g, '.'))
  const plain = digits.replace(/[.,](?=\d{3}(?!\d))/g, '') // 1,500 and 1.500
  return Number(plain.replace(',', '.').replace(/\.(?=.*\.)/g, ''))
}
