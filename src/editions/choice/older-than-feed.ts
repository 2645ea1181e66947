import { trustedDate } from '../../store/articles/forgotten.ts'
import type { ReasonOf } from '../../store/events/reason.ts'
import { addMs, day, type Instant } from '../../time/clock.ts'

type Dated = { id: string; publishedAt: Instant | null; seenAt: Instant }

/** An article that was published only this much before the others can be news that was late. */
const marginMs = 28 * day

/**
 * The articles that slid into a feed from its archive, because another was deleted or the feed shows some at random: they
 * were published at least four weeks before everything in the feed's first read. `known`: all that the feed listed before.
 */
export function olderThanFeed(fresh: Dated[], known: Dated[]): Map<string, ReasonOf<'older-than-feed'>> {
  const firstSeenAt = known.reduce((first, { seenAt }) => (first === '' || seenAt < first ? seenAt : first), '')
  const dates = known.flatMap((one) => (one.seenAt === firstSeenAt ? (trustedDate(one) ?? []) : []))
  const oldest = dates.toSorted()[0]
  if (oldest === undefined) return new Map()
  const limit = addMs(oldest, -marginMs)
  return new Map(
    fresh.flatMap((one) => {
      const publishedAt = trustedDate(one)
      if (publishedAt === null || publishedAt >= limit) return []
      return [[one.id, { code: 'older-than-feed', publishedAt, oldest }] as const]
    }),
  )
}
