import { day, type Instant, later } from '../clock.ts'
import type { Article } from '../store/articles.ts'
import type { Digest, Section } from './digest.ts'

/** Chosen if it has a position in its section, from 1; the reason is for a person either way. */
export type Choice = { article: Article; section: string; position: number | null; reason: string }

/**
 * Decides what an edition holds, from what is pending and what time it is. Each article gets exactly one choice.
 * An article belongs to the first section that lists its feed; `publishedAt` only sorts.
 */
export function select(pending: Article[], digest: Digest, now: Instant): Choice[] {
  const taken = new Set<string>()
  const choices = digest.sections.flatMap((section) => {
    const candidates = pending.filter((article) => section.feeds.includes(article.feedUrl) && !taken.has(article.id))
    for (const article of candidates) taken.add(article.id)
    return fill(section, candidates, now)
  })
  const homeless = pending.filter((article) => !taken.has(article.id))
  return [...choices, ...homeless.map((article) => passed(article, '', 'its feed is in no section any more'))]
}

function fill(section: Section, candidates: Article[], now: Instant): Choice[] {
  const sorted = candidates.toSorted((a, b) => newestFirst(a, b, now))
  if (sorted.length < section.minimum) {
    const reason = `the section has ${sorted.length} and needs ${section.minimum}: dropped this time, and its articles stay pending`
    return sorted.map((article) => passed(article, section.name, reason))
  }
  return sorted.map((article, index) => {
    if (index >= section.maximum) {
      return passed(article, section.name, `the section is full: ${section.maximum} newer articles stand before it`)
    }
    const reason = `number ${index + 1} of ${sorted.length} pending, newest first`
    return { article, section: section.name, position: index + 1, reason }
  })
}

function passed(article: Article, section: string, reason: string): Choice {
  return { article, section, position: null, reason }
}

function newestFirst(a: Article, b: Article, now: Instant): number {
  const left = sortingInstant(a, now)
  const right = sortingInstant(b, now)
  if (left !== right) return left < right ? 1 : -1
  return a.id < b.id ? -1 : 1
}

/** A date of more than a day ahead is a mistake, and must not hold the first place for ever. */
function sortingInstant(article: Article, now: Instant): Instant {
  const { publishedAt, seenAt } = article
  return publishedAt === null || publishedAt > later(now, day) ? seenAt : publishedAt
}
