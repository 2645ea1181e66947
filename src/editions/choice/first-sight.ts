import type { Article } from '../../store/articles/article.ts'
import type { Instant } from '../../time/clock.ts'
import type { Digest, Section } from '../digest.ts'
import { storyTime } from '../stories/story.ts'
import { exclusionReason, staleReason } from './filter.ts'
import { selectArticles } from './select.ts'

/**
 * The ids of pending articles when a digest first sees a feed; all `articles` are from that feed, and the rest is backlog.
 * Each section that lists the feed takes its newest accepted articles, up to the section's maximum per feed, and the
 * digest's rules (`atLeast`, quotas) add the articles they would choose from this feed alone.
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

/** The sections that list the feed; for a feed used only as backfill, the first section that backfills from it. */
function sectionsFor(url: string, { sections }: Digest): Section[] {
  const listing = sections.filter(({ feeds }) => feeds.includes(url))
  return listing.length > 0 ? listing : sections.filter(({ backfill }) => backfill === url).slice(0, 1)
}

function maxFromFeed({ maximum, perFeed = maximum }: Section, { atMost }: Digest): number {
  return Math.min(maximum, perFeed, atMost.feed ?? maximum)
}

/** The digest without section minimums, and with every section ordered by newest. */
function withoutOtherRules(digest: Digest): Digest {
  const sections = digest.sections.map((section) => ({ ...section, minimum: 0, order: 'newest' as const }))
  return { ...digest, sections }
}

/** Compares by publication time, or by first-seen time for undated articles. On a tie the smaller id is newer. */
function compareNewestFirst(a: Article, b: Article): number {
  const [one, other] = [storyTime(a), storyTime(b)]
  if (one !== other) return one < other ? 1 : -1
  return a.id < b.id ? -1 : 1
}
