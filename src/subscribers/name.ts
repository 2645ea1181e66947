import { invisibleClass } from '../text/characters.ts'

/**
 * What shows nothing, and characters that Unicode leaves to private use or to nobody; but not what belongs to a script or an
 * emoji: variation selectors, and the two joiners, which have a rule of their own.
 */
const invisibleCharacters = new RegExp(
  `(?![\\u200c\\u200d\\p{Variation_Selector}])[${invisibleClass}\\p{Co}\\ufffe\\uffff]`,
  'gu',
)

/** Joiners are part of Persian, Indic and emoji spelling; beside a Latin letter, or at an end, they only hide. */
const strayJoiner =
  /(?<![^\P{L}\p{Script=Latin}]|\p{M}|\p{Extended_Pictographic}|\p{Emoji_Modifier})[\u200c\u200d]+|[\u200c\u200d]+(?![^\P{L}\p{Script=Latin}]|\p{Extended_Pictographic})/gu

/** At most so many characters of a name are kept. */
const maxNameLength = 200

/**
 * A person's name as we keep and print it, wherever it was typed: one line of at most 200 characters, without controls,
 * direction overrides and invisible characters (they would make a name read as another one in a `To:` line).
 */
export function tidyName(name: string): string {
  const line = name.toWellFormed().replace(/[\s\u2028\u2029]+/gu, ' ')
  const shown = line.replace(invisibleCharacters, '').replace(strayJoiner, '').replace(/ +/g, ' ').trim()
  return [...shown].slice(0, maxNameLength).join('').trim()
}

const wholeNames = ['name', 'fullname', 'displayname', 'contactname', 'subscribername', 'yourname']
const firstNames = ['firstname', 'fname', 'givenname', 'forename', 'namefirst']
const lastNames = ['lastname', 'lname', 'surname', 'familyname', 'namelast']

/** The name in a row of a file: its name column, or first and last name together. Empty if the row has none. */
export function nameFromColumns(values: Record<string, string>): string {
  const spelled = Object.entries(values).map(([column, value]) => [column.replace(/[\s_.-]+/g, ''), value] as const)
  const findName = (columns: string[]) =>
    columns
      .map((name) => tidyName(spelled.find(([column, value]) => column === name && value)?.[1] ?? ''))
      .find(Boolean)
  const whole = findName(wholeNames)
  return whole ?? tidyName([findName(firstNames), findName(lastNames)].filter(Boolean).join(' '))
}
