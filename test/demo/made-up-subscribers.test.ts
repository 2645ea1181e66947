import { expect, test } from 'vitest'
import { madeUpSubscribers } from '../../src/demo/made-up-subscribers.ts'

test('the same people come in the same order every time, and more of them start with the same ones', () => {
  expect(madeUpSubscribers(200)).toEqual(madeUpSubscribers(200))
  expect(madeUpSubscribers(500).slice(0, 200)).toEqual(madeUpSubscribers(200))
})

test('no address comes twice in twenty thousand, whatever its case', () => {
  const addresses = madeUpSubscribers(20_000).map(({ email }) => email.toLowerCase())
  expect(new Set(addresses).size).toBe(20_000)
})

test('every address is plain, and under a domain that is kept for examples', () => {
  for (const { email } of madeUpSubscribers(2000))
    expect(email).toMatch(/^[a-z][a-z0-9.'+-]*[a-z0-9]@[a-z-]+\.example\.(org|com|net)$/)
})

test('two hundred people write their names in several scripts, with marks, quotes, commas and angle brackets', () => {
  const names = madeUpSubscribers(200).map(({ name }) => name)
  for (const kind of [/\p{Script=Han}/u, /\p{Script=Arabic}/u, /\p{Script=Cyrillic}/u, /\p{Script=Devanagari}/u])
    expect(names.some((name) => kind.test(name))).toBe(true)
  for (const kind of [/[éöñłŞ]/, /"/, /,/, /</, /\{\{/, /\p{Emoji_Presentation}/u])
    expect(names.some((name) => kind.test(name))).toBe(true)
  expect(new Set(names).size).toBeGreaterThan(140)
})
