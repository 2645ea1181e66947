import { expect, test } from 'vitest'
import { forTerminal, jsonForTerminal, removeInvisible } from '../../src/text/characters.ts'

test.each([
  ['an override of the reading direction, with its end', 'invoice\u202efdp\u202c.exe', 'invoicefdp.exe'],
  ['zero-width characters between Latin letters', 'p\u200ba\u200cy\u200dp\u2060a\ufeffl', 'paypal'],
  ['control characters, but not white space', 'a\u0000b\u0007\tc\u009b', 'ab\tc'],
  ['tags that hide words', 'Ferry\u{e0068}\u{e0069}', 'Ferry'],
  ['marks of direction in a text from left to right', 'a\u200eb\u200fc\u061cd', 'abcd'],
  ['soft hyphens and deprecated formats', 'a\u00adb\u206ac', 'abc'],
  ['an end of nothing', 'a\u2069b\u202cc', 'abc'],
])('%s goes', (_, text, clean) => {
  expect(removeInvisible(text)).toBe(clean)
})

test.each([
  ['marks in a text from right to left', 'עברית\u200f (2026)\u200f'],
  ['joiners of Persian and of Hindi', 'می\u200cخواهم क्\u200dष'],
  [
    'families, professions and flags',
    '👩‍👩‍👧‍👦 👩🏽‍🚀 🏳️‍🌈 \u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}',
  ],
  ['a balanced isolate', 'من \u2068example.org\u2069 إلى'],
  ['isolates in each other, and an embedding', '\u2067א\u2066b\u2069\u2069 \u202bא\u202c'],
])('%s stay', (_, text) => {
  expect(removeInvisible(text)).toBe(text)
})

test.each([
  ['what is opened is closed', '\u2067אב', '\u2067אב\u2069'],
  ['an embedding does not outlast its isolate', '\u2067א\u202aב\u2069c', '\u2067א\u202aב\u202c\u2069c'],
  ['an end of an embedding closes no isolate', '\u2067א\u202cב', '\u2067אב\u2069'],
  ['an override in an isolate goes alone', '\u2067א\u202eב\u202cג\u2069', '\u2067אבג\u2069'],
])('%s', (_, text, clean) => {
  expect(removeInvisible(text)).toBe(clean)
})

test('no more than ten levels are opened, and all are closed', () => {
  const clean = removeInvisible(`${'\u2067'.repeat(200)}א`)
  expect(clean).toBe(`${'\u2067'.repeat(10)}א${'\u2069'.repeat(10)}`)
})

test('a terminal gets none of them, and emoji whole', () => {
  expect(forTerminal('a\u202eb\u200fc\u061cd\u200be\u{e0041}f\u001b[2J\n')).toBe('a bcdef [2J ')
  expect(forTerminal('two\nlines\t👩‍👩‍👧‍👦 עברית', '\n\t')).toBe('two\nlines\t👩‍👩‍👧‍👦 עברית')
})

test('JSON for a terminal is read back as it was', () => {
  const value = { text: 'a\u202eb\u200fc\u061cd\u200de\u{e0041}f\u009b👩‍🚀' }
  const json = jsonForTerminal(JSON.stringify(value))
  expect(json).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  expect(JSON.parse(json)).toEqual(value)
})
