import { expect, test } from 'vitest'
import { absoluteUrl, httpUrl, isUrlTooLong } from '../../src/http/url.ts'

const base = 'https://magazine.example/feed'

test.each([
  ['https://reader:secret@bank.example/a', 'https://bank.example/a'],
  ['https://www.bank.example@evil.example/', 'https://evil.example/'],
  ['https://bank.example\\@evil.example/', 'https://bank.example/@evil.example/'],
  ['https://bank.example\\evil/', 'https://bank.example/evil/'],
  ['//reader@magazine.example/a', 'https://magazine.example/a'],
  ['https://magazine.example/@mira?mail=a@b.example', 'https://magazine.example/@mira?mail=a@b.example'],
])('%s leads to %s, without a user name or a backslash before the path', (address, url) => {
  expect([absoluteUrl(address, base), httpUrl(address, base)]).toEqual([url, url])
})

test('an address that is too long is none, also one that becomes so', () => {
  const long = `https://magazine.example/${'a'.repeat(2000)}`
  const grows = `/${'é'.repeat(700)}`
  for (const address of [long, grows]) {
    expect(absoluteUrl(address, base)).toBeNull()
    expect(isUrlTooLong(address, base)).toBe(true)
  }
  expect(absoluteUrl(long.slice(0, 2000), base)).toBe(long.slice(0, 2000))
  expect(isUrlTooLong(`data:image/png,${long}`, base)).toBe(false)
})
