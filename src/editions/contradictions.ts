import type { Ceiling, Digest, Filter, Floor, Section } from './digest.ts'
import { terms } from './terms.ts'

/** Two rules of a job file that cannot both be kept; `path` leads to the one to change. */
export type Contradiction = { path: (string | number)[]; message: string }

/**
 * What the rules of one section say against each other. They are looked at as they were written, so that whatever else is
 * wrong with the file is told beside: a part that is no list, or no number, is left to the check of its own.
 */
export function sectionContradictions(section: Section): Contradiction[] {
  const { feeds, maximum, perAuthor, perFeed, exclude } = section
  const floors = counted(section.atLeast)
  const sources = Array.isArray(feeds) ? feeds.length : 0
  if (floors.length > 0 && sources === 0) return [{ path: ['atLeast'], message: 'needs a feed to choose from' }]
  return [
    ...overfull(floors, maximum, 'the maximum of the section'),
    ...floors.flatMap(({ rule, index }) => {
      const path = ['atLeast', index, 'count']
      const more = (than: string, most: number) => [{ path, message: `is more than ${than}: ${most}` }]
      const byAuthors = onlyAuthors(rule) && perAuthor !== undefined ? perAuthor * rule.authors.length : Infinity
      const fromFeeds = perFeed === undefined ? Infinity : perFeed * sources
      return [
        ...lower(rule, counted(section.atMost)).flatMap((most) => more('atMost allows of the same', most)),
        ...(rule.count > byAuthors ? more('perAuthor allows', byAuthors) : []),
        ...(rule.count > fromFeeds ? more('perFeed allows', fromFeeds) : []),
        ...(isWithin(rule, exclude)
          ? [{ path: ['atLeast', index], message: 'looks for what exclude leaves out' }]
          : []),
      ]
    }),
  ]
}

/** The same for what the whole edition asks for, and what its sections ask for together. */
export function digestContradictions({ sections, atLeast, atMost }: Omit<Digest, 'name'>): Contradiction[] {
  const inSections = list(sections).filter((section) => list(section?.feeds).length > 0)
  const room = inSections.reduce((sum, { maximum }) => sum + maximum, 0)
  const ceilings = counted(atMost?.matching)
  const floors = counted(atLeast)
  return [
    ...overfull(floors, room, 'all sections hold'),
    ...floors.flatMap(({ rule, index }) => {
      const path = ['atLeast', index, 'count']
      const byAuthors =
        onlyAuthors(rule) && atMost?.author !== undefined ? atMost.author * rule.authors.length : Infinity
      return [
        ...lower(rule, ceilings).map((most) => ({ path, message: `is more than atMost allows of the same: ${most}` })),
        ...(rule.count > byAuthors ? [{ path, message: `is more than atMost.author allows: ${byAuthors}` }] : []),
      ]
    }),
    ...ceilings.flatMap(({ rule, index }) => {
      const asked = inSections.flatMap((section) => counted(section.atLeast)).filter((one) => isSame(one.rule, rule))
      const sum = asked.reduce((total, one) => total + one.rule.count, 0)
      const message = `is less than the sections ask for with atLeast: ${sum}`
      return sum > rule.count ? [{ path: ['atMost', 'matching', index, 'count'], message }] : []
    }),
  ]
}

/** The same for when copies go out. */
export function timeContradictions({ localTime, window, lead }: Omit<Digest, 'name'>): Contradiction[] {
  if (localTime && window !== undefined)
    return [{ path: ['window'], message: 'cannot stand beside localTime, whose hour is fixed' }]
  if (!localTime && lead !== undefined) return [{ path: ['lead'], message: 'is used by localTime alone' }]
  return []
}

type Indexed<Rule> = { rule: Rule; index: number }

function list<Item>(value: Item[] | undefined): Item[] {
  return Array.isArray(value) ? value : []
}

function counted<Rule extends Ceiling>(rules: Rule[] | undefined): Indexed<Rule>[] {
  const indexed = list(rules).map((rule, index) => ({ rule, index }))
  return indexed.filter(({ rule }) => typeof rule?.count === 'number' && namesOf(rule).length > 0)
}

/** Rules keep places of their own: together they must find room. */
function overfull(floors: Indexed<Floor>[], most: number, what: string): Contradiction[] {
  let sum = 0
  for (const { rule, index } of floors) {
    sum += rule.count
    const together = index === 0 ? 'is' : 'is, with the rules above it,'
    if (sum > most) return [{ path: ['atLeast', index, 'count'], message: `${together} more than ${what}: ${most}` }]
  }
  return []
}

function lower(floor: Floor, ceilings: Indexed<Ceiling>[]): number[] {
  const same = ceilings.filter(({ rule }) => isSame(rule, floor) && rule.count < floor.count)
  return same.map(({ rule }) => rule.count)
}

function onlyAuthors({ categories, words, authors }: Filter): boolean {
  return authors.length > 0 && list(categories).length + list(words).length === 0
}

function isSame(one: Filter, other: Filter): boolean {
  return isWithin(one, other) && isWithin(other, one)
}

function isWithin(one: Filter, other: Filter | undefined): boolean {
  const names = new Set(other ? namesOf(other) : [])
  return namesOf(one).every((name) => names.has(name))
}

function namesOf({ categories, words, authors }: Filter): string[] {
  const lists = { categories, words, authors }
  return Object.entries(lists).flatMap(([what, names]) => list(names).map((name) => `${what} ${keyOf(name)}`))
}

function keyOf(name: unknown): string {
  return terms(String(name)).join(' ')
}
