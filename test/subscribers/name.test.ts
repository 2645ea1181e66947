import { describe, expect, test } from 'vitest'
import { nameFromColumns, tidyName } from '../../src/subscribers/name.ts'

describe('a name', () => {
  test.each([
    ['loses an override of the reading direction', 'Li\u202ez', 'Liz'],
    ['loses marks of direction and isolates', '\u200eMira\u2066 Kaya\u2069\u200f\u061c', 'Mira Kaya'],
    ['loses characters that show nothing', 'Mi\u200bra\u2060\ufeff Ka\u00adya\u3164\u{e0041}', 'Mira Kaya'],
    ['loses controls and keeps one line', 'Mira\u001b[31m\u0000\r\nKaya\u2028\u0007', 'Mira[31m Kaya'],
    ['loses half a surrogate pair to the sign for it', 'Mira\ud83d', 'Mira\ufffd'],
    ['loses a joiner that hides between Latin letters', 'M\u200dira\u200c', 'Mira'],
    ['loses a grapheme joiner and a Khmer vowel that is never shown', 'Mi\u034fra\u17b4', 'Mira'],
    ['keeps the variants of an emoji and of an ideograph', '❤\ufe0f 葛\u{e0100}', '❤\ufe0f 葛\u{e0100}'],
    ['keeps the joiners of Persian', 'علی\u200cرضا', 'علی\u200cرضا'],
    ['keeps the joiners of Sinhala', 'ක්\u200dෂ', 'ක්\u200dෂ'],
    ['keeps a family as one emoji', '👩\u200d👧 K', '👩\u200d👧 K'],
    ['keeps apostrophes, hyphens and accents', "Zoë O’Neill-d'Arcy", "Zoë O’Neill-d'Arcy"],
  ])('%s', (_, typed, kept) => {
    expect(tidyName(typed)).toBe(kept)
  })

  test('has 200 characters at most', () => {
    expect(tidyName('😀'.repeat(300))).toBe('😀'.repeat(200))
  })
})

describe('the name in a row', () => {
  test.each([
    [{ name: 'Mira', 'first name': 'M', 'last name': 'K' }, 'Mira'],
    [{ name: ' ', 'first name': 'Mira', 'last name': 'Kaya' }, 'Mira Kaya'],
    [{ fname: 'Mira', lname: 'Kaya' }, 'Mira Kaya'],
    [{ first_name: 'Mira', surname: '' }, 'Mira'],
    [{ 'given-name': '', 'family-name': 'Kaya' }, 'Kaya'],
    [{ 'full name': 'Mira Kaya' }, 'Mira Kaya'],
    [{ town: 'Leeds' }, ''],
  ])('%j is %s', (values, name) => {
    expect(nameFromColumns(values as unknown as Record<string, string>)).toBe(name)
  })
})
