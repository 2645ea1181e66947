import type { Instant } from '../clock.ts'
import type { Article, Candidate } from '../store/articles.ts'
import { storyOf } from './copies.ts'
import type { Digest, Floor, Section } from './digest.ts'
import { leftOut, matches, named, stale } from './filter.ts'
import { Quota } from './quota.ts'
import { type Limits, reserve } from './reserve.ts'
import type { Choice } from './select.ts'

/** An `atLeast` with its scope: one section, or (null) the whole edition. */
export type ScopedFloor = { floor: Floor; section: Section | null }

/** The rules that the choice does not meet. A section that is left out by its own minimum owes nothing. */
export function unmet(digest: Digest, choices: Choice[]): ScopedFloor[] {
  return floorsOf(digest).filter((one) => lacking(one, choices) > 0)
}

/** `the section latest holds at least 1 with categories Opinion`. */
export function floorWords({ floor, section }: ScopedFloor): string {
  return `${scopeOf(section)} holds at least ${floor.count} with ${named(floor)}`
}

/** `the section latest has 0 with categories Opinion where at least 1 is wanted`. */
export function shortWords(one: ScopedFloor, choices: Choice[]): string {
  const { floor, section } = one
  const are = floor.count === 1 ? 'is' : 'are'
  const has = heldBy(one, choices)
  return `${scopeOf(section)} has ${has} with ${named(floor)} where at least ${floor.count} ${are} wanted`
}

/**
 * The articles whose places are to be kept, so that every rule is met, or as many as can be. `plain` is what would be
 * chosen without the rules: what is in it already serves first, then what it passed over, in its order. None: it meets
 * the rules as it is.
 */
export function keptPlaces(digest: Digest, plain: Choice[], candidates: Candidate[], now: Instant): Candidate[] {
  if (unmet(digest, plain).length === 0) return []
  const open = new Set(candidates.map(({ id }) => id))
  const homes = new Map(
    plain.flatMap(({ article }) => {
      const home = open.has(article.id) ? homeOf(article, digest, plain, now) : undefined
      return home ? [[article.id, home] as const] : []
    }),
  )
  const articles = plain.filter(({ article }) => homes.has(article.id))
  const inFirst = articles.toSorted((a, b) => Number(a.position === null) - Number(b.position === null))
  const wants = floorsOf(digest).map(({ floor, section }) => ({
    count: floor.count,
    fits: (one: Candidate) => (section === null || homes.get(one.id) === section) && matches(one, floor),
  }))
  return reserve(
    inFirst.map(({ article }) => article),
    wants,
    limitsOf(digest, homes),
  )
}

/** The first rule by which the article has its place in that section. */
export function floorOf(article: Article, section: string, digest: Digest): ScopedFloor | undefined {
  const inScope = floorsOf(digest).filter((one) => one.section === null || one.section.name === section)
  return inScope.find(({ floor }) => !article.letter && matches(article, floor))
}

export function floorsOf(digest: Digest): ScopedFloor[] {
  return [
    ...digest.sections.flatMap((section) => section.atLeast.map((floor) => ({ floor, section }))),
    ...digest.atLeast.map((floor) => ({ floor, section: null })),
  ]
}

/** The section where the article may stand: the first that lists its feed and takes it in, if that one is not left out. */
function homeOf(article: Article, { sections }: Digest, plain: Choice[], now: Instant): Section | undefined {
  const listing = sections.filter(({ feeds }) => feeds.includes(article.feedUrl))
  const taking = listing.filter((section) => (leftOut(article, section) ?? stale(article, section, now)) === null)
  const home = taking.find((section) => !(section.thin === 'drop' && isLeftOut(section, plain)))
  return home && !isLeftOut(home, plain) ? home : undefined
}

/** The maximum of every section, what it and the edition hold at most of an author, a feed or a kind, and each story once. */
function limitsOf(digest: Digest, homes: Map<string, Section>): Limits {
  const edition = new Quota(digest.atMost, 'the edition')
  const rooms = new Map(
    digest.sections.map((section) => [section, { quota: Quota.of(section), left: section.maximum }]),
  )
  const told = new Set<string>()
  const roomOf = ({ id }: Article) => {
    const home = homes.get(id)
    return home && rooms.get(home)
  }
  return {
    allow(article) {
      const room = roomOf(article)
      if (!room || room.left === 0 || told.has(storyOf(article))) return false
      return room.quota.exceededBy(article) === null && edition.exceededBy(article) === null
    },
    count(article, by) {
      const room = roomOf(article)
      if (!room) return
      room.left -= by
      if (by === 1) told.add(storyOf(article))
      else told.delete(storyOf(article))
      room.quota.count(article, by)
      edition.count(article, by)
    },
  }
}

function lacking(one: ScopedFloor, choices: Choice[]): number {
  if (one.section && isLeftOut(one.section, choices)) return 0
  return Math.max(0, one.floor.count - heldBy(one, choices))
}

function heldBy({ floor, section }: ScopedFloor, choices: Choice[]): number {
  return choices.filter(
    (choice) =>
      choice.position !== null &&
      (section === null || choice.section === section.name) &&
      !choice.article.letter &&
      matches(choice.article, floor),
  ).length
}

function isLeftOut({ name, minimum, thin }: Section, choices: Choice[]): boolean {
  const holds = choices.some(({ section, position }) => section === name && position !== null)
  return minimum > 0 && thin !== 'ask' && !holds
}

function scopeOf(section: Section | null): string {
  return section ? `the section ${section.name}` : 'the edition'
}
