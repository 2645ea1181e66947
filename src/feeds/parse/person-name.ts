import { maxLength } from '../../config/field-limits.ts'
import { plainText, shortText } from '../markup/text.ts'

/** `mira@example.org (Mira Vance)`, `Mira Vance <mira@example.org>`, `By Mira Vance` → Mira Vance. */
export function personName(text: string): string {
  const value = text.slice(0, 400).replace(/<[^<>\s@]{1,100}@[^<>\s]{1,100}>/, '')
  const plain = plainText({ value, kind: 'perhaps-html' }, 300)
  const name = nameAfterAddress(plain) ?? withoutAddresses(plain)
  return shortText({ value: name.replace(/^by(?::\s*|\s+)(?=\S)/i, ''), kind: 'text' }, maxLength.person)
}

/** RSS 2.0: the name in brackets after the address. */
function nameAfterAddress(text: string): string | null {
  const open = text.indexOf('(')
  if (open < 0 || !text.endsWith(')') || text.length - open < 3) return null
  const address = text.slice(0, open).trim()
  return /^[^\s@]+@\S+$/.test(address) ? text.slice(open + 1, -1) : null
}

function withoutAddresses(text: string): string {
  return text
    .split(' ')
    .filter((word) => !isMailAddress(word))
    .join(' ')
}

/** Characters before the @, and a dot with a letter after it: `(mira@example.org)`. */
function isMailAddress(word: string): boolean {
  const at = word.indexOf('@', 1)
  return at > 0 && /\.\w/.test(word.slice(at + 2))
}
