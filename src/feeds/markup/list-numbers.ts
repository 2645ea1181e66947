import type { Attributes } from './tokeniser.ts'
import { Tokeniser } from './tokeniser.ts'

/** The numbering of an `<ol>` (HTML §4.4.5): the next number, its step, and how numbers are written. */
export type Numbering = { next: number; step: 1 | -1; type: string }

const maxItemTags = 500
const largest = 1_000_000

/** The numbering of the list whose start tag ends at `from`; a reversed list without a start counts its items. */
export function numberingOf({ start, reversed, type = '' }: Attributes, html: string, from: number): Numbering {
  const step = reversed === undefined ? 1 : -1
  const given = wholeNumber(start)
  const next = given ?? (step === 1 ? 1 : itemCount(html, from))
  return { next, step, type: /^[aAiI]$/.test(type) ? type : '' }
}

/** The number of the next item, which its own `value` may set. */
export function nextNumber(numbering: Numbering, value: string | undefined): number {
  const number = wholeNumber(value) ?? numbering.next
  numbering.next = number + numbering.step
  return number
}

/** A whole number as written in an attribute, or null. */
export function wholeNumber(text: string | undefined): number | null {
  if (text === undefined || !/^-?\d{1,7}$/.test(text.trim())) return null
  const number = Number(text)
  return Math.abs(number) <= largest ? number : null
}

/** `5`, `e`, `E`, `v` or `V`. */
export function writtenNumber(number: number, type: string): string {
  if (number < 1 || type === '') return String(number)
  const written = type.toLowerCase() === 'a' ? alphabetic(number) : number < 4000 ? roman(number) : String(number)
  return type === type.toUpperCase() ? written.toUpperCase() : written
}

function alphabetic(number: number): string {
  let out = ''
  for (let left = number; left > 0; left = Math.floor((left - 1) / 26))
    out = String.fromCharCode(97 + ((left - 1) % 26)) + out
  return out
}

const romanSigns: [number, string][] = [
  ...([
    [1000, 'm'],
    [900, 'cm'],
    [500, 'd'],
    [400, 'cd'],
    [100, 'c'],
    [90, 'xc'],
  ] as [number, string][]),
  ...([
    [50, 'l'],
    [40, 'xl'],
    [10, 'x'],
    [9, 'ix'],
    [5, 'v'],
    [4, 'iv'],
    [1, 'i'],
  ] as [number, string][]),
]

function roman(number: number): string {
  let [out, left] = ['', number]
  for (const [value, sign] of romanSigns) for (; left >= value; left -= value) out += sign
  return out
}

function itemCount(html: string, from: number): number {
  const tokens = new Tokeniser(html, 'html', from)
  let [depth, items] = [1, 0]
  for (let seen = 0; seen < maxItemTags && depth > 0; seen++) {
    const token = tokens.next()
    if (!token) break
    const name = token.name.toLowerCase()
    if (name === 'ol' || name === 'ul') depth += token.kind === 'close' ? -1 : 1
    if (name === 'li' && token.kind === 'open' && depth === 1) items++
  }
  return Math.max(1, items)
}
