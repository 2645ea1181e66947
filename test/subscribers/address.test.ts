import { describe, expect, test } from 'vitest'
import { addressKey, parseAddress, readAddress } from '../../src/subscribers/address.ts'

const domainOf = (octets: number) => {
  const labels = `${'d'.repeat(59)}.`.repeat(5)
  return `${labels.slice(0, octets - 4)}.org`.replace('..', 'd.')
}

describe('is an address, kept so', () => {
  test.each([
    ['mira@example.org', 'mira@example.org'],
    ['  mira@example.org\t\r\n', 'mira@example.org'],
    ['\ufeffmira@example.org', 'mira@example.org'],
    ['Mira.Kaya@Example.ORG', 'Mira.Kaya@example.org'],
    ['a@b.co', 'a@b.co'],
    ["o'neill+news/leeds=x!#$%&*?^_`{|}~-@sub.example.org", "o'neill+news/leeds=x!#$%&*?^_`{|}~-@sub.example.org"],
    ['-dash@example.org', '-dash@example.org'],
    ['1@2.example', '1@2.example'],
    ['mira@münchen.example', 'mira@xn--mnchen-3ya.example'],
    ['mira@MÜNCHEN.example', 'mira@xn--mnchen-3ya.example'],
    ['mira@mu\u0308nchen.example', 'mira@xn--mnchen-3ya.example'],
    ['мира@пример.рф', 'мира@xn--e1afmkfd.xn--p1ai'],
    ['美良@例え.テスト', '美良@xn--r8jz45g.xn--zckzah'],
    ['mira@example。org', 'mira@example.org'],
    ['mira@ｅｘａｍｐｌｅ.org', 'mira@example.org'],
    ['😀@example.org', '😀@example.org'],
    ['mira@😀.example', 'mira@xn--e28h.example'],
    ['andré@example.org', 'andré@example.org'],
  ])('%j: %s', (text, kept) => {
    expect(parseAddress(text)).toBe(kept)
  })

  test('once and for all: what was kept is kept so again', () => {
    for (const text of ['Mira@MÜNCHEN.example', 'мира@пример.рф', '😀@example.org']) {
      const kept = parseAddress(text) ?? ''
      expect(parseAddress(kept)).toBe(kept)
    }
  })
})

describe('is none', () => {
  test.each(
    [
      ['', 'mira', 'mira@', '@example.org', '@', 'mira@@example.org', 'a@b@example.org', 'mira example.org'],
      ['mira@localhost', 'mira@example', 'mira@.org', 'mira@example.', 'mira@example.org.', 'mira@example..org'],
      ['mira@example.o', 'mira@example.1', 'mira@127.0.0.1', 'mira@0x7f.1', 'mira@[127.0.0.1]', 'mira@[IPv6:::1]'],
      [
        'mira@-example.org',
        'mira@example-.org',
        'mira@exa_mple.org',
        'mira@exam!ple.org',
        `mira@${'d'.repeat(64)}.org`,
      ],
      ['.mira@example.org', 'mira.@example.org', 'mi..ra@example.org', '.@example.org'],
      ['"mira kaya"@example.org', '"mira"@example.org', 'mi"ra@example.org', 'mi\\ra@example.org'],
      [
        'mira(work)@example.org',
        'mira@(work)example.org',
        'mira@example.org (Mira)',
        'Mira <mira@example.org>',
        '<mira@example.org>',
      ],
      [
        'mailto:mira@example.org',
        'mira@example.org,tom@example.org',
        'mira@example.org;',
        'mira@example.org>',
        'mi:ra@example.org',
      ],
      [
        'mira@example.org/x',
        'mira@example.org?cc=tom',
        'mira@example.org#x',
        'mira@example.org:25',
        'mira@exa%6dple.org',
        'mira@example.org\\x',
      ],
      [
        'mi ra@example.org',
        'mira @example.org',
        'mira@ example.org',
        'mira@exam ple.org',
        'mi\u00a0ra@example.org',
        'mi\u3000ra@example.org',
      ],
    ].flat(),
  )('%j', (text) => {
    expect(parseAddress(text)).toBeUndefined()
  })

  test.each([
    '\r\nBcc: tom@example.org',
    '\nBcc: tom@example.org',
    '\rBcc: tom@example.org',
    '%0d%0aBcc:tom@example.org',
    '\u2028Bcc',
    '\u2029Bcc',
    '\u0085Bcc',
    '>\r\nRCPT TO:<tom@example.org',
  ])('with %j behind it: nothing gets into a header or a command', (more) => {
    expect(parseAddress(`mira@example.org${more}`)).toBeUndefined()
    expect(parseAddress(`mira${more}@example.org`)).toBeUndefined()
  })

  test.each([
    ['NUL', '\0'],
    ['escape', '\u001b'],
    ['delete', '\u007f'],
    ['a C1 control', '\u009b'],
    ['a soft hyphen', '\u00ad'],
    ['a zero-width space', '\u200b'],
    ['a zero-width joiner', '\u200d'],
    ['a left-to-right mark', '\u200e'],
    ['a right-to-left override', '\u202e'],
    ['a word joiner', '\u2060'],
    ['an isolate', '\u2066'],
    ['a byte order mark', '\ufeff'],
    ['a tag', '\u{e0061}'],
    ['a grapheme joiner', '\u034f'],
    ['a variation selector', '\ufe0f'],
    ['a variation selector of the supplement', '\u{e0101}'],
    ['a Braille blank', '\u2800'],
    ['a Hangul filler', '\u3164'],
    ['a vowel that Khmer never shows', '\u17b4'],
    ['a Mongolian variation selector', '\u180b'],
    ['half an emoji', '\ud83d'],
    ['a replacement character', '\ufffd'],
  ])('with %s in it, on either side', (_, unseen) => {
    expect(parseAddress(`mi${unseen}ra@example.org`)).toBeUndefined()
    expect(parseAddress(`mira@exam${unseen}ple.org`)).toBeUndefined()
  })
})

describe('its length is counted in octets', () => {
  test.each([
    ['x', 64],
    ['é', 32],
    ['美', 21],
    ['😀', 16],
  ])('%s fits %i times before the @, and not once more', (letter, times) => {
    expect(parseAddress(`${letter.repeat(times)}@example.org`)).toBeDefined()
    expect(parseAddress(`${letter.repeat(times + 1)}@example.org`)).toBeUndefined()
  })

  test('254 are the most, however they are shared out', () => {
    expect(`m@${domainOf(252)}`).toHaveLength(254)
    expect(parseAddress(`m@${domainOf(252)}`)).toBeDefined()
    expect(parseAddress(`mm@${domainOf(252)}`)).toBeUndefined()
    expect(parseAddress(`${'m'.repeat(64)}@${domainOf(189)}`)).toHaveLength(254)
    expect(parseAddress(`${'m'.repeat(64)}@${domainOf(190)}`)).toBeUndefined()
  })

  test('a name in another script counts as it travels, in ASCII', () => {
    expect(parseAddress(`m@${'ü'.repeat(56)}.org`)).toMatch(/^m@xn--/)
    expect(parseAddress(`m@${'ü'.repeat(63)}.org`)).toBeUndefined()
  })

  test('a megabyte is none', () => {
    expect(parseAddress(`${'a.'.repeat(500_000)}a@example.org`)).toBeUndefined()
    expect(parseAddress(`a@${'a.'.repeat(500_000)}org`)).toBeUndefined()
  })
})

test('letter case and the way an accent is written distinguish nobody', () => {
  expect(addressKey('Mira@example.org')).toBe(addressKey('mIRA@example.org'))
  expect(addressKey('ANDRÉ@example.org')).toBe(addressKey('andre\u0301@example.org'))
  expect(addressKey('mira@example.org')).not.toBe(addressKey('mirà@example.org'))
})

describe('a cell of a spreadsheet', () => {
  test.each(['\u034f', '\ufe0f', '\u{e0101}', '\u2800', '\u3164', '\u17b4', '\u180b', '\u200b'])(
    'may have %j around its address, and is told of it inside',
    (unseen) => {
      expect(readAddress(`${unseen}mira@example.org${unseen}`)).toEqual({ email: 'mira@example.org', name: '' })
      const code = (unseen.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
      for (const cell of [`mi${unseen}ra@example.org`, `mira@exam${unseen}ple.org`])
        expect(readAddress(cell)).toEqual({ problem: expect.stringContaining(`invisible character, U+${code}`) })
    },
  )

  test.each(['=mira@example.org', '="mira@example.org"', "'=mira@example.org", '=Mira <mira@example.org>'])(
    'may hold the address as a formula: %j',
    (cell) => {
      expect(readAddress(cell)).toMatchObject({ email: 'mira@example.org' })
    },
  )

  test.each(['+mira@example.org', '-mira@example.org', "'+mira@example.org"])(
    'is told of a sign that is left of a formula: %j',
    (cell) => {
      expect(readAddress(cell)).toEqual({ problem: expect.stringMatching(/^begins with "[+-]", as a formula does/) })
    },
  )
})
