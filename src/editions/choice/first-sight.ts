import type { Article } from '../../store/articles/article.ts'
import type { Instant } from '../../time/clock.ts'
import type { Digest, Section } from '../digest.ts'
import { exclusionReason, staleReason } from './filter.ts'
import { selectArticles } from './select.ts'

/**
 * The ids of the articles that are pending when a digest sees a feed for the first time; the rest is backlog: a feed that
 * is added does not mail its archive. Each section that lists the feed has room for the newest that its filters let in, as
 * many as it holds of one feed; what a section has taken is not counted in the next. Beside them stands whatever the rules
 * of the digest (`atLeast`, quotas) would print of these articles alone. `articles` are those of one feed.
 */
export function pendingAtFirstSight(articles: Article[], digest: Digest, now: Instant): Set<string> {
  const newest = articles.toSorted(compareNewestFirst)
  const pending = new Set<string>()
  for (const section of sectionsFor(newest[0]?.feedUrl ?? '', digest)) {
    const free = newest.filter(({ id }) => !pending.has(id))
    const takenIn = free.filter(
      (one) => exclusionReason(one, section) === null && staleReason(one, section, now) === null,
    )
    for (const { id } of takenIn.slice(0, maxFromFeed(section, digest))) pending.add(id)
  }
  const choices = selectArticles(newest, withoutOtherRules(digest), now)
  for (const { article, position } of choices) if (position !== null) pending.add(article.id)
  return pending
}

/** Those that list the feed; a feed that only fills up counts where it does so first. */
function sectionsFor(url: string, { sections }: Digest): Section[] {
  const listing = sections.filter(({ feeds }) => feeds.includes(url))
  return listing.length > 0 ? listing : sections.filter(({ backfill }) => backfill === url).slice(0, 1)
}

function maxFromFeed({ maximum, perFeed = maximum }: Section, { atMost }: Digest): number {
  return Math.min(maximum, perFeed, atMost.feed ?? maximum)
}

/** One feed alone makes no section thin, and in what order its articles stand is decided with all others. */
function withoutOtherRules(digest: Digest): Digest {
  const sections = digest.sections.map((section) => ({ ...section, minimum: 0, order: 'newest' as const }))
  return { ...digest, sections }
}

/** Undated pieces count as of when they were seen, and of two of one instant that with the smaller id is newer. */
function compareNewestFirst(a: Article, b: Article): number {
  const [one, other] = [a.publishedAt ?? a.seenAt, b.publishedAt ?? b.seenAt]
  if (one !== other) return one < other ? 1 : -1
  return a.id < b.id ? -1 : 1
}
