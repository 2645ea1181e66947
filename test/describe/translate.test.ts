import { expect, test } from 'vitest'
import { directionOf, localeFor } from '../../src/describe/language.ts'
import { parseTranslation, translate, translateParts } from '../../src/describe/translate.ts'

test('a language tag has the file that fits best, and an unknown language has English', () => {
  expect(['cy-GB', 'AR', 'de-Latn-CH-1996', 'fr'].map(localeFor)).toEqual(['cy', 'ar', 'de', 'fr'])
  expect(['en-GB', 'EN', 'pl', 'x-pig'].map(localeFor)).toEqual(['en', 'en', 'en', 'en'])
})

test('a language that is written from right to left is known by its script', () => {
  const rightToLeft = ['ar', 'ar-EG', 'he', 'fa', 'ur', 'ckb', 'ps', 'sd', 'yi', 'dv', 'ku-Arab', 'ff-Adlm']
  expect(rightToLeft.filter((language) => directionOf(language) !== 'rtl')).toEqual([])
  expect(['en-GB', 'cy', 'ku', 'tr', 'sr-Cyrl', 'ar-Latn'].filter((one) => directionOf(one) !== 'ltr')).toEqual([])
})

test('a value of the other direction is isolated, another is not', () => {
  expect(translate('en-GB', 'email.we-wrote', { headline: 'שלום עולם' })).toBe('We wrote: “\u2068שלום עולם\u2069”')
  expect(translate('en-GB', 'email.we-wrote', { headline: 'Trams' })).toBe('We wrote: “Trams”')
})

test('a key that is unknown, a value that is missing and a tag that nobody handles are errors', () => {
  expect(() => translate('en', 'email.no-such')).toThrow('email.no-such')
  expect(() => translate('en', 'email.number')).toThrow('{number}')
  expect(() => translate('en', 'email.reply', { address: 'a@b.example' })).toThrow('tag')
})

test('a text has at most one tag', () => {
  expect(translateParts('en', 'email.reply', { address: 'a@b.example' })).toEqual({
    before: 'Or simply reply to this email. It reaches ',
    inside: 'a@b.example',
    after: ', and a person answers.',
  })
  for (const source of ['<a>x', 'x</a>', '<a>x</b>', '<a>x</a> <a>y</a>', '<a><b>x</b></a>'])
    expect(() => parseTranslation(source), source).toThrow(source)
})

test('a text is in the language of the tag, with its plurals and digits', () => {
  expect(translate('cy-GB', 'email.number', { number: 12 })).toBe('Rhif 12')
  const stories = (language: string) =>
    [0, 1, 2, 3, 11, 100].map((count) => translate(language, 'email.stories', { count }))
  expect(stories('ar')).toEqual(['لا مقالات', 'مقال واحد', 'مقالان', '3 مقالات', '11 مقالًا', '100 مقال'])
  expect(translate('ar-EG', 'email.stories', { count: 12 })).toBe('١٢ مقالًا')
  expect(stories('cy')).toEqual(['dim straeon', '1 stori', '2 stori', '3 stori', '11 stori', '100 stori'])
  expect(translate('ar', 'email.why', { digest: 'The Week', publication: 'المجلة' })).toBe(
    'تصلكم هذه الرسالة لأنكم مشتركون في \u2068The Week\u2069 من المجلة.',
  )
})
