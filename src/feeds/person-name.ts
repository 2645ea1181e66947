import { plainText } from './text.ts'

/** `mira@example.org (Mira Vance)`, `Mira Vance <mira@example.org>`, `By Mira Vance` → Mira Vance. */
export function personName(text: string): string {
  const plain = plainText(
    { value: text.slice(0, 400).replace(/<[^<>\s@]{1,100}@[^<>\s]{1,100}>/, ''), kind: 'perhaps-html' },
    300,
  )
  const inBrackets = /^\S+@\S+\s*\((.+)\)$/.exec(plain)?.[1]
  const name = inBrackets ?? plain.replace(/\s*\(?\b\S+@\S+\.\w+\)?\s*/g, ' ').trim()
  return name.replace(/^by(?::\s*|\s+)(?=\S)/i, '').slice(0, 200)
}
