import { folded } from '../../store/articles/canonical-address.ts'

/** The words of a text without case and accents, for filters. Trailing `+` and `#` belong to a word: `C++`, `C#`. */
export function terms(text: string): string[] {
  return folded(text).match(/[\p{L}\p{N}]+[+#]*/gu) ?? []
}

/** Whether two texts have the same words, in the same order. */
export function haveSameTerms(one: string, other: string): boolean {
  return terms(one).join(' ') === terms(other).join(' ')
}

/** Whether a text contains the wanted words in sequence. In scripts without spaces, any substring matches. */
export function hasTerms(text: string, wanted: string): boolean {
  const [there, words] = [terms(text).join(' '), terms(wanted).join(' ')]
  if (words === '') return false
  return unspacedScript.test(words) ? there.includes(words) : ` ${there} `.includes(` ${words} `)
}

const unspacedScript = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u

/** The author names in a byline: `By Mira Vance and Tom Hale` has two. */
export function authorsOf(line: string): string[] {
  const names = line.replace(/^\s*by\s+/i, '').split(/\s*[,;、/|·•&]\s*|\s+(?:and|und|et|og|och)\s+/i)
  const known = new Map(names.map((name) => [terms(name).join(' ') || name.trim(), name.trim()] as const))
  known.delete('')
  return [...known.values()]
}
