import { folded } from '../../store/articles/canonical-address.ts'

/** The words of a text without case and accents, as filters compare them. Signs that end a word are part of it: `C++`, `C#`. */
export function terms(text: string): string[] {
  return folded(text).match(/[\p{L}\p{N}]+[+#]*/gu) ?? []
}

/** Whether two texts have the same words, in the same order. */
export function haveSameTerms(one: string, other: string): boolean {
  return terms(one).join(' ') === terms(other).join(' ')
}

/** Whether a text has these words one after the other; in a script without spaces, wherever they stand. */
export function hasTerms(text: string, wanted: string): boolean {
  const [there, words] = [terms(text).join(' '), terms(wanted).join(' ')]
  if (words === '') return false
  return unspacedScript.test(words) ? there.includes(words) : ` ${there} `.includes(` ${words} `)
}

const unspacedScript = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u

/** The people whom an author line names: `By Mira Vance and Tom Hale` are two. */
export function authorsOf(line: string): string[] {
  const names = line.replace(/^\s*by\s+/i, '').split(/\s*[,;、/|·•&]\s*|\s+(?:and|und|et|og|och)\s+/i)
  const known = new Map(names.map((name) => [terms(name).join(' ') || name.trim(), name.trim()] as const))
  known.delete('')
  return [...known.values()]
}
