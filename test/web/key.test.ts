import { expect, test } from 'vitest'
import { keyIn } from '../../src/web/key.ts'

const key = 'abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnop'
const [start, end] = [key.slice(0, 20), key.slice(20)]

test.each([
  key,
  key.toUpperCase(),
  `${key}!`,
  `${key}/x/y`,
  `(${key})`,
  `%22${key}%22`,
  `“${key}”…`,
  `%E2%80%9C${key}%E2%80%9D`,
  `%253C${key}%253E`,
  ` %C2%A0\u200b\ufeff${key}`,
  `${start}=${end}`,
  `${start}=%0D%0A${end}`,
  `${start}%3D%0A${end}`,
  `${start}\r\n ${end}`,
  `${start}\u00ad${end}`,
  `${start}%E2%80%8B${end}\u2060`,
  `${key}%E0%A4`,
  `%3C${key}%E0%A4%A`,
  `&lt;${key}&gt;`,
  `${key}more`,
  `${key}%00`,
])('%j holds the key', (text) => expect(keyIn(text)).toBe(key))

test.each(['', '%', '%00', 'x', key.slice(1), `${start}.${end}`, `1${key.slice(1)}`, `${'.'.repeat(1000)}${key}`])(
  '%j holds none',
  (text) => expect(keyIn(text)).toBe(''),
)

test('reading is fast for a text of any length', () => {
  for (const piece of ['%25', 'a', '%', '=', `${key.slice(1)}.`])
    expect(keyIn(piece.repeat(300_000)).length % 48).toBe(0)
})
