import { terms } from '../choice/terms.ts'
import type { ArticleFilter, MaximumRule, MinimumRule } from './fields.ts'

type SectionRules = {
  feeds: string[]
  maximum: number
  perFeed?: number | undefined
  perAuthor?: number | undefined
  exclude?: ArticleFilter | undefined
  atLeast: MinimumRule[]
  atMost: MaximumRule[]
}

type DigestRules = {
  sections: SectionRules[]
  atLeast: MinimumRule[]
  atMost: { author?: number | undefined; matching: MaximumRule[] }
}

/** Two rules of a job file that contradict each other; `path` is the key of the rule to change. */
export type Contradiction = { path: (string | number)[]; message: string }

/**
 * Contradictions between the rules of one section. The input is not validated, so that all problems of a file are reported
 * together; values of the wrong type are ignored here and reported by the schema.
 */
export function sectionContradictions(section: SectionRules): Contradiction[] {
  const { feeds, maximum, perAuthor, perFeed, exclude } = section
  const minimums = indexedRules(section.atLeast)
  const sources = Array.isArray(feeds) ? feeds.length : 0
  if (minimums.length > 0 && sources === 0) return [{ path: ['atLeast'], message: 'needs a feed to choose from' }]
  return [
    ...minimumsOverRoom(minimums, maximum, 'the maximum of the section'),
    ...minimums.flatMap(({ rule, index }) => {
      const path = ['atLeast', index, 'count']
      const more = (than: string, most: number) => [{ path, message: `is more than ${than}: ${most}` }]
      const byAuthors = hasOnlyAuthors(rule) && perAuthor !== undefined ? perAuthor * rule.authors.length : Infinity
      const fromFeeds = perFeed === undefined ? Infinity : perFeed * sources
      return [
        ...lowerMaximums(rule, indexedRules(section.atMost)).flatMap((most) => more('atMost allows of the same', most)),
        ...(rule.count > byAuthors ? more('perAuthor allows', byAuthors) : []),
        ...(rule.count > fromFeeds ? more('perFeed allows', fromFeeds) : []),
        ...(isFilterWithin(rule, exclude)
          ? [{ path: ['atLeast', index], message: 'looks for what exclude leaves out' }]
          : []),
      ]
    }),
  ]
}

/** Contradictions between the rules of the whole edition and those of its sections together. */
export function digestContradictions({ sections, atLeast, atMost }: DigestRules): Contradiction[] {
  const inSections = arrayOrEmpty(sections).filter((section) => arrayOrEmpty(section?.feeds).length > 0)
  const room = inSections.reduce((sum, { maximum }) => sum + maximum, 0)
  const maximums = indexedRules(atMost?.matching)
  const minimums = indexedRules(atLeast)
  return [
    ...minimumsOverRoom(minimums, room, 'all sections hold'),
    ...minimums.flatMap(({ rule, index }) => {
      const path = ['atLeast', index, 'count']
      const byAuthors =
        hasOnlyAuthors(rule) && atMost?.author !== undefined ? atMost.author * rule.authors.length : Infinity
      return [
        ...lowerMaximums(rule, maximums).map((most) => ({
          path,
          message: `is more than atMost allows of the same: ${most}`,
        })),
        ...(rule.count > byAuthors ? [{ path, message: `is more than atMost.author allows: ${byAuthors}` }] : []),
      ]
    }),
    ...maximums.flatMap(({ rule, index }) => {
      const asked = inSections
        .flatMap((section) => indexedRules(section.atLeast))
        .filter((one) => isSameFilter(one.rule, rule))
      const sum = asked.reduce((total, one) => total + one.rule.count, 0)
      const message = `is less than the sections ask for with atLeast: ${sum}`
      return sum > rule.count ? [{ path: ['atMost', 'matching', index, 'count'], message }] : []
    }),
  ]
}

/** Contradictions between the rules for the sending time. */
export function timeContradictions({
  localTime,
  window,
  lead,
}: {
  localTime: boolean
  window?: unknown
  lead?: unknown
}): Contradiction[] {
  if (localTime && window !== undefined)
    return [{ path: ['window'], message: 'cannot stand beside localTime, whose hour is fixed' }]
  if (!localTime && lead !== undefined) return [{ path: ['lead'], message: 'is used by localTime alone' }]
  return []
}

type Indexed<Rule> = { rule: Rule; index: number }

function arrayOrEmpty<Item>(value: Item[] | undefined): Item[] {
  return Array.isArray(value) ? value : []
}

function indexedRules<Rule extends MaximumRule>(rules: Rule[] | undefined): Indexed<Rule>[] {
  const indexed = arrayOrEmpty(rules).map((rule, index) => ({ rule, index }))
  return indexed.filter(({ rule }) => typeof rule?.count === 'number' && namesOf(rule).length > 0)
}

/** Each minimum rule reserves its own places, so their sum must not exceed `room`. */
function minimumsOverRoom(minimums: Indexed<MinimumRule>[], room: number, what: string): Contradiction[] {
  let sum = 0
  for (const { rule, index } of minimums) {
    sum += rule.count
    const together = index === 0 ? 'is' : 'is, with the rules above it,'
    if (sum > room) return [{ path: ['atLeast', index, 'count'], message: `${together} more than ${what}: ${room}` }]
  }
  return []
}

function lowerMaximums(minimum: MinimumRule, maximums: Indexed<MaximumRule>[]): number[] {
  const same = maximums.filter(({ rule }) => isSameFilter(rule, minimum) && rule.count < minimum.count)
  return same.map(({ rule }) => rule.count)
}

function hasOnlyAuthors({ categories, words, authors }: ArticleFilter): boolean {
  return authors.length > 0 && arrayOrEmpty(categories).length + arrayOrEmpty(words).length === 0
}

function isSameFilter(one: ArticleFilter, other: ArticleFilter): boolean {
  return isFilterWithin(one, other) && isFilterWithin(other, one)
}

function isFilterWithin(one: ArticleFilter, other: ArticleFilter | undefined): boolean {
  const names = new Set(other ? namesOf(other) : [])
  return namesOf(one).every((name) => names.has(name))
}

function namesOf({ categories, words, authors }: ArticleFilter): string[] {
  const lists = { categories, words, authors }
  return Object.entries(lists).flatMap(([what, names]) => arrayOrEmpty(names).map((name) => `${what} ${nameKey(name)}`))
}

function nameKey(name: unknown): string {
  return terms(String(name)).join(' ')
}
