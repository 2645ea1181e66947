import { invisibleClass } from '../text/characters.ts'

/**
 * Invisible, private-use and unassigned characters; but not variation selectors, which belong to scripts and emoji, nor
 * the two joiners (see `strayJoiner`).
 */
const invisibleCharacters = new RegExp(
  `(?![\\u200c\\u200d\\p{Variation_Selector}])[${invisibleClass}\\p{Co}\\ufffe\\uffff]`,
  'gu',
)

/** Joiners belong to Persian, Indic and emoji spelling; beside a Latin letter or at an end they are only invisible. */
const strayJoiner =
  /(?<![^\P{L}\p{Script=Latin}]|\p{M}|\p{Extended_Pictographic}|\p{Emoji_Modifier})[\u200c\u200d]+|[\u200c\u200d]+(?![^\P{L}\p{Script=Latin}]|\p{Extended_Pictographic})/gu

/** In characters; the rest of a longer name is cut. */
const maxNameLength = 200

/**
 * Cleans a person's name: one line of at most 200 characters, without control, direction and invisible characters, which
 * could make it read as another name in a `To:` line.
 */
export function tidyName(name: string): string {
  const line = name.toWellFormed().replace(/[\s\u2028\u2029]+/gu, ' ')
  const shown = line.replace(invisibleCharacters, '').replace(strayJoiner, '').replace(/ +/g, ' ').trim()
  return [...shown].slice(0, maxNameLength).join('').trim()
}

const wholeNames = ['name', 'fullname', 'displayname', 'contactname', 'subscribername', 'yourname']
const firstNames = ['firstname', 'fname', 'givenname', 'forename', 'namefirst']
const lastNames = ['lastname', 'lname', 'surname', 'familyname', 'namelast']

/** The name in a row of a file: its name column, or first and last name. Empty if there is none. */
export function nameFromColumns(values: Record<string, string>): string {
  const spelled = Object.entries(values).map(([column, value]) => [column.replace(/[\s_.-]+/g, ''), value] as const)
  const findName = (columns: string[]) =>
    columns
      .map((name) => tidyName(spelled.find(([column, value]) => column === name && value)?.[1] ?? ''))
      .find(Boolean)
  const whole = findName(wholeNames)
  return whole ?? tidyName([findName(firstNames), findName(lastNames)].filter(Boolean).join(' '))
}
