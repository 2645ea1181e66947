import { type Direction, isolate } from '../text/direction.ts'
import { directionOf, localeFor } from './language.ts'
import { formatMessage, type Message, parseMessage, placeholdersIn } from './message-format.ts'
import { readLocale } from './messages.ts'

/** The groups of messages that exist in every language. */
export const translatedGroups = ['email', 'page'] as const

/** A message for readers. `inside` is the part in a tag, such as `<a>…</a>`, which a template makes a link. */
export type Translation = { before: Message; inside: Message | null; after: Message }

export type TranslatedText = { before: string; inside: string | null; after: string }

export type TranslationValues = Record<string, unknown>

/**
 * The text of a key such as `page.saved` in a language. Values in the other direction are isolated. Throws an Error for
 * an unknown key, a missing value, or a message with a tag.
 */
export function translate(language: string, key: string, values: TranslationValues = {}): string {
  const { before, inside } = translateParts(language, key, values)
  if (inside !== null) throw new Error(`the text ${key} has a tag`)
  return before
}

/** Like `translate`, for a message that may have a tag: the texts before, inside and after it. */
export function translateParts(language: string, key: string, values: TranslationValues): TranslatedText {
  const { locale, translation } = findTranslation(language, key)
  const isolated = isolateValues(values, directionOf(language))
  const options = { locale, describe: String, formats: {} }
  const text = (message: Message) => formatMessage(message, isolated, options)
  const { before, inside, after } = translation
  return { before: text(before), inside: inside && text(inside), after: text(after) }
}

/** The names of the values that the English message of a key needs, and its tag; undefined if the key is unknown. */
export function requiredValues(key: string): { names: Set<string>; hasTag: boolean } | undefined {
  const translation = translationsOf('en').get(key)
  return translation && { names: new Set(namesIn(translation)), hasTag: translation.inside !== null }
}

function namesIn({ before, inside, after }: Translation): string[] {
  return [...before, ...(inside ?? []), ...after].flatMap((part) => placeholdersIn([part])).map(({ name }) => name)
}

/** Isolates the texts of the other direction among the values. */
export function isolateValues<Values extends TranslationValues>(values: Values, direction: Direction): Values {
  const entries = Object.entries(values)
  return Object.fromEntries(
    entries.map(([name, value]) => [name, typeof value === 'string' ? isolate(value, direction) : value]),
  ) as Values
}

/** A key that a language's file lacks is English there; numbers then are too. */
function findTranslation(language: string, key: string): { locale: string; translation: Translation } {
  const name = localeFor(language)
  const own = translationsOf(name).get(key)
  if (own) return { locale: /^[a-z]+/i.exec(language)?.[0] === name.split('-')[0] ? language : name, translation: own }
  const english = translationsOf('en').get(key)
  if (!english) throw new Error(`there is no text ${key} in templates/locales/en.yml`)
  return { locale: 'en', translation: english }
}

const loaded = new Map<string, Map<string, Translation>>()

/** The messages of the translated groups in a language, by keys such as `email.unsubscribe`; parsed once. */
export function translationsOf(name: string): Map<string, Translation> {
  const known = loaded.get(name)
  if (known) return known
  const file = readLocale(name)
  const translations = new Map(
    translatedGroups.flatMap((group) =>
      Object.entries(file[group] ?? {}).map(([key, source]) => [`${group}.${key}`, parseTranslation(source)] as const),
    ),
  )
  loaded.set(name, translations)
  return translations
}

/** Parses a message with at most one tag, which is not inside a placeholder. Throws an Error for wrong syntax. */
export function parseTranslation(source: string): Translation {
  const tagged = /^(.*?)<(\w+)>(.*)<\/\2>(.*)$/s.exec(source)
  const [before = '', inside, after = ''] = tagged ? [tagged[1], tagged[3], tagged[4]] : [source]
  for (const part of [before, inside ?? '', after])
    if (/[<>]/.test(part)) throw new Error(`a tag is not closed, or is the second one, in “${source}”`)
  return {
    before: parseMessage(before),
    inside: inside === undefined ? null : parseMessage(inside),
    after: parseMessage(after),
  }
}
