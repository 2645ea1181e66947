import { trustedDate } from '../../store/articles/forgotten.ts'
import type { Instant } from '../../time/clock.ts'

/** The fields of an article that identify its story. */
export type Story = {
  id: string
  feedUrl: string
  /** The title of the feed. */
  source: string
  identity: string
  canonical: string
  title: string
  /** See `fingerprintText`; null: the article was stored by an earlier version. */
  textFingerprint: string | null
  publishedAt: Instant | null
  seenAt: Instant
  shownAt: Instant
  /** The id of the first article of the story, as found earlier; null: this article. */
  sameAs: string | null
  /** The id of an article of which an editor said that this is not a copy; null: none. */
  unlike: string | null
}

/** When it was published, or first seen if that is unknown. */
export function storyTime(story: Pick<Story, 'publishedAt' | 'seenAt'>): Instant {
  return trustedDate(story) ?? story.seenAt
}

/** Whether one feed contained both articles at the same time: for their publisher they are different. */
export function wereShownTogether(one: Story, other: Story): boolean {
  return one.feedUrl === other.feedUrl && one.shownAt >= other.seenAt && other.shownAt >= one.seenAt
}

/**
 * Time between two articles in milliseconds, 0 if they overlap. An article without a date covers the time in which its
 * feed contained it, because a site that moves keeps its articles.
 */
export function timeApartMs(one: Story, other: Story): number {
  const [first, second] = [shownSpan(one), shownSpan(other)]
  return Math.max(0, first.from - second.to, second.from - first.to)
}

function shownSpan(story: Story): { from: number; to: number } {
  const date = trustedDate(story)
  return date === null
    ? { from: Date.parse(story.seenAt), to: Date.parse(story.shownAt) }
    : { from: Date.parse(date), to: Date.parse(date) }
}
