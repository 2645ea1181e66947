import type { Article } from '../../store/articles/article.ts'
import type { Candidate } from '../../store/articles/articles.ts'
import type { Reason } from '../../store/events/reason.ts'
import type { Instant } from '../../time/clock.ts'
import type { Digest, Section } from '../digest.ts'
import type { MinimumRule } from '../jobs/fields.ts'
import { articleChoices, type Choice, chosenOnly } from './choice.ts'
import { storyOf } from './copies.ts'
import { exclusionReason, filterParts, matchesFilter, staleReason } from './filter.ts'
import { pinnedSection } from './pin.ts'
import { Quota } from './quota.ts'
import { type PlaceLimits, reservePlaces } from './reserve.ts'

/** An `atLeast` rule with its scope: one section, or null for the whole edition. */
export type ScopedMinimum = { floor: MinimumRule; section: Section | null }

/** The minimum rules that the choices do not meet. Rules of a section that its own minimum left out do not count. */
export function unmetMinimums(digest: Digest, choices: Choice[]): ScopedMinimum[] {
  return minimumsOf(digest).filter((one) => missingCount(one, choices) > 0)
}

/** The rule's values in a reason. */
export function minimumValues({ floor, section }: ScopedMinimum) {
  return { section: section?.name ?? null, minimum: floor.count, filter: filterParts(floor) }
}

/** The reason that the choices do not meet the rule. */
export function shortfallReason(one: ScopedMinimum, choices: Choice[]): Reason {
  return { code: 'minimum-not-met', count: matchCount(one, choices), ...minimumValues(one) }
}

/**
 * The articles that need reserved places to meet as many minimum rules as possible; empty if `baseline` meets them all.
 * `baseline` is the choice without minimum rules: its chosen articles are tried first, then those it passed over, in order.
 */
export function reservedPlaces(digest: Digest, baseline: Choice[], candidates: Candidate[], now: Instant): Candidate[] {
  if (unmetMinimums(digest, baseline).length === 0) return []
  const candidateIds = new Set(candidates.map(({ id }) => id))
  const homes = new Map(
    articleChoices(baseline).flatMap(({ article }) => {
      const home = candidateIds.has(article.id) ? homeSection(article, digest, baseline, now) : undefined
      return home ? [[article.id, home] as const] : []
    }),
  )
  const articles = articleChoices(baseline).filter(({ article }) => homes.has(article.id))
  const chosenFirst = articles.toSorted((a, b) => Number(a.position === null) - Number(b.position === null))
  const demands = minimumsOf(digest).map(({ floor, section }) => ({
    count: floor.count,
    fits: (one: Candidate) => (section === null || homes.get(one.id) === section) && matchesFilter(one, floor),
  }))
  return reservePlaces(
    chosenFirst.map(({ article }) => article),
    demands,
    limitsOf(digest, homes),
  )
}

/** The first minimum rule of the section or the edition that the article matches. */
export function minimumFor(article: Article, section: string, digest: Digest): ScopedMinimum | undefined {
  const inScope = minimumsOf(digest).filter((one) => one.section === null || one.section.name === section)
  return inScope.find(({ floor }) => matchesFilter(article, floor))
}

export function minimumsOf(digest: Digest): ScopedMinimum[] {
  return [
    ...digest.sections.flatMap((section) => section.atLeast.map((floor) => ({ floor, section }))),
    ...digest.atLeast.map((floor) => ({ floor, section: null })),
  ]
}

/** The section that may include the article: the first that lists its feed and accepts it, unless it is left out. */
function homeSection(article: Candidate, { sections }: Digest, baseline: Choice[], now: Instant): Section | undefined {
  const pinned = pinnedSection(article)
  if (pinned !== undefined) return sections.find(({ name }) => name === pinned)
  const listing = sections.filter(({ feeds }) => feeds.includes(article.feedUrl))
  const taking = listing.filter(
    (section) => (exclusionReason(article, section) ?? staleReason(article, section, now)) === null,
  )
  const home = taking.find((section) => !(section.thin === 'drop' && isSectionDropped(section, baseline)))
  return home && !isSectionDropped(home, baseline) ? home : undefined
}

/** Limits for reserved places: each section's maximum, the quotas of section and edition, and one copy of each story. */
function limitsOf(digest: Digest, homes: Map<string, Section>): PlaceLimits {
  const edition = new Quota(digest.atMost, null)
  const rooms = new Map(
    digest.sections.map((section) => [section, { quota: Quota.of(section), left: section.maximum }]),
  )
  const usedStories = new Set<string>()
  const roomOf = ({ id }: Article) => {
    const home = homes.get(id)
    return home && rooms.get(home)
  }
  return {
    allow(article) {
      const room = roomOf(article)
      if (!room || room.left === 0 || usedStories.has(storyOf(article))) return false
      return room.quota.exceededBy(article) === null && edition.exceededBy(article) === null
    },
    count(article, by) {
      const room = roomOf(article)
      if (!room) return
      room.left -= by
      if (by === 1) usedStories.add(storyOf(article))
      else usedStories.delete(storyOf(article))
      room.quota.count(article, by)
      edition.count(article, by)
    },
  }
}

function missingCount(one: ScopedMinimum, choices: Choice[]): number {
  if (one.section && isSectionDropped(one.section, choices)) return 0
  return Math.max(0, one.floor.count - matchCount(one, choices))
}

function matchCount({ floor, section: scope }: ScopedMinimum, choices: Choice[]): number {
  return chosenOnly(articleChoices(choices)).filter(
    ({ article, section }) => (scope === null || section === scope.name) && matchesFilter(article, floor),
  ).length
}

function isSectionDropped({ name, minimum, thin }: Section, choices: Choice[]): boolean {
  const holds = choices.some(({ section, position }) => section === name && position !== null)
  return minimum > 0 && thin !== 'ask' && !holds
}
