import { invisibleClass } from '../text/characters.ts'

/** The Unicode names of invisible characters and of those that change the direction of text. */
const characterNames: Record<string, string> = {
  '\u00a0': 'NO-BREAK SPACE',
  '\u00ad': 'SOFT HYPHEN',
  '\u034f': 'COMBINING GRAPHEME JOINER',
  '\u061c': 'ARABIC LETTER MARK',
  '\u115f': 'HANGUL CHOSEONG FILLER',
  '\u1160': 'HANGUL JUNGSEONG FILLER',
  '\u180e': 'MONGOLIAN VOWEL SEPARATOR',
  '\u200b': 'ZERO WIDTH SPACE',
  '\u200c': 'ZERO WIDTH NON-JOINER',
  '\u200d': 'ZERO WIDTH JOINER',
  '\u200e': 'LEFT-TO-RIGHT MARK',
  '\u200f': 'RIGHT-TO-LEFT MARK',
  '\u2028': 'LINE SEPARATOR',
  '\u2029': 'PARAGRAPH SEPARATOR',
  '\u202a': 'LEFT-TO-RIGHT EMBEDDING',
  '\u202b': 'RIGHT-TO-LEFT EMBEDDING',
  '\u202c': 'POP DIRECTIONAL FORMATTING',
  '\u202d': 'LEFT-TO-RIGHT OVERRIDE',
  '\u202e': 'RIGHT-TO-LEFT OVERRIDE',
  '\u202f': 'NARROW NO-BREAK SPACE',
  '\u2060': 'WORD JOINER',
  '\u2066': 'LEFT-TO-RIGHT ISOLATE',
  '\u2067': 'RIGHT-TO-LEFT ISOLATE',
  '\u2068': 'FIRST STRONG ISOLATE',
  '\u2069': 'POP DIRECTIONAL ISOLATE',
  '\u2800': 'BRAILLE PATTERN BLANK',
  '\u3000': 'IDEOGRAPHIC SPACE',
  '\u3164': 'HANGUL FILLER',
  '\ufe0e': 'VARIATION SELECTOR-15',
  '\ufe0f': 'VARIATION SELECTOR-16',
  '\ufeff': 'ZERO WIDTH NO-BREAK SPACE',
  '\uffa0': 'HALFWIDTH HANGUL FILLER',
}

const blankOrInvisible = new RegExp(`[\\s${invisibleClass}]`, 'u')

/** Removes white space and invisible characters at both ends. A regular expression would be quadratic here. */
export function trimInvisible(text: string): string {
  const isVisible = (index: number) => !blankOrInvisible.test(String.fromCodePoint(text.codePointAt(index) ?? 0))
  let start = 0
  while (start < text.length && !isVisible(start)) start += (text.codePointAt(start) ?? 0) > 0xffff ? 2 : 1
  let end = text.length
  while (end > start) {
    const last = /[\udc00-\udfff]/.test(text[end - 1] ?? '') && /[\ud800-\udbff]/.test(text[end - 2] ?? '') ? 2 : 1
    if (isVisible(end - last)) break
    end -= last
  }
  return text.slice(start, end)
}

/** Names the first white space or invisible character and the text before it; undefined if there is none. */
export function describeInvisible(text: string): string | undefined {
  const found = blankOrInvisible.exec(text)
  if (!found) return undefined
  const [character] = found
  const before = text.slice(0, found.index).slice(-60)
  if (character === ' ') return `has a space after "${before}"`
  if (/[\t\r\n]/.test(character)) return `has a ${character === '\t' ? 'tab' : 'line break'} after "${before}"`
  const code = `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
  const name = characterNames[character] ?? (/\p{Cc}/u.test(character) ? 'CONTROL CHARACTER' : '')
  return `has an invisible character, ${code}${name && ` ${name}`}, after "${before}"`
}
