import { describe, expect, test } from 'vitest'
import { type Message, placeholdersIn } from '../../src/describe/message-format.ts'
import { localeNames, readLocale } from '../../src/describe/messages.ts'
import { parseTranslation, type Translation, translatedGroups, translationsOf } from '../../src/describe/translate.ts'

const english = translationsOf('en')
const others = localeNames().filter((name) => name !== 'en')

test('there are six languages', () => {
  expect(localeNames().sort()).toEqual(['ar', 'cy', 'de', 'en', 'es', 'fr'])
})

describe.each(others)('the file of the language %s', (name) => {
  const texts = translationsOf(name)

  test('has every text of English, and no other', () => {
    expect(Object.keys(readLocale(name)).sort()).toEqual([...translatedGroups].sort())
    expect([...texts.keys()].filter((key) => !english.has(key))).toEqual([])
    expect([...english.keys()].filter((key) => !texts.has(key))).toEqual([])
  })

  test('has the placeholders of English in each text', () => {
    expect(faultsOf(texts, (text, key) => shapeOf(text) !== shapeOf(english.get(key)))).toEqual([])
  })

  test('has no text that is empty, or that is still English', () => {
    const [own, en] = [readLocale(name), readLocale('en')]
    const hasWords = (text: string) => /\p{L}/u.test(text.replace(/\{[^{}]*\}/g, ''))
    const isUntranslated = (group: string, key: string) =>
      !own[group]?.[key]?.trim() || (own[group]?.[key] === en[group]?.[key] && hasWords(own[group]?.[key] ?? ''))
    const untranslated = translatedGroups.flatMap((group) =>
      Object.keys(own[group] ?? {}).filter((key) => isUntranslated(group, key)),
    )
    expect(untranslated).toEqual([])
  })
})

test.each(localeNames())('every plural of the language %s has its categories, and no other', (name) => {
  expect(faultsOf(translationsOf(name), (text) => pluralFaults(name, text).length > 0)).toEqual([])
})

test('a file is found wrong that lacks a placeholder, has another one, or lacks a tag', () => {
  const right = shapeOf(parseTranslation('{a} <b>{n, number}</b>'))
  expect(shapeOf(parseTranslation('<b>{n, number}</b> {a}'))).toBe(right)
  for (const wrong of ['<b>{n, number}</b>', '{a} {c} <b>{n, number}</b>', '{a} <b>{n}</b>', '{a} {n, number}'])
    expect(shapeOf(parseTranslation(wrong)), wrong).not.toBe(right)
})

test('a plural is found wrong that lacks a category of its language, or has one of another', () => {
  expect(pluralFaults('en', parseTranslation('{n, plural, =0 {none} one {#} other {#}}'))).toEqual([])
  expect(pluralFaults('en', parseTranslation('{n, plural, one {#} few {#}}'))).toEqual(['few', 'other'])
  expect(pluralFaults('ar', parseTranslation('{n, plural, one {#} other {#}}'))).toEqual(['few', 'many', 'two', 'zero'])
})

function faultsOf(texts: Map<string, Translation>, isWrong: (text: Translation, key: string) => boolean): string[] {
  return [...texts].filter(([key, text]) => isWrong(text, key)).map(([key]) => key)
}

/** The placeholders with their formats and whether each is in the tag; a word order is free. */
function shapeOf(text: Translation | undefined): string {
  if (!text) return ''
  const names = (message: Message) =>
    [...new Set(placeholdersIn(message).map((one) => `${one.name} ${one.format}`))].sort()
  return JSON.stringify([names([...text.before, ...text.after]), text.inside && names(text.inside)])
}

/** The plural categories that are missing, and those that the language does not have. */
function pluralFaults(language: string, { before, inside, after }: Translation): string[] {
  const categories = new Set<string>(new Intl.PluralRules(language).resolvedOptions().pluralCategories)
  const plurals = placeholdersIn([...before, ...(inside ?? []), ...after]).filter(({ format }) => format === 'plural')
  return plurals.flatMap(({ cases }) => {
    const given = new Set([...cases.keys()].filter((key) => !key.startsWith('=')))
    return [...given.symmetricDifference(categories)].sort()
  })
}
