import { describeReason } from '../describe/describe.ts'
import type { Fetched } from '../http/fetched.ts'
import type { Log } from '../log.ts'
import { addFeedEventOnce } from '../store/events/events.ts'
import type { Reason } from '../store/events/reason.ts'
import { type FeedFailure, recordFailure } from '../store/feeds/feed-polls.ts'
import type { Db, FeedRow } from '../store/schema.ts'
import type { Clock } from '../time/clock.ts'
import { moveUndone } from './feed-address.ts'
import { nextPollAfterFailure } from './poll-schedule.ts'

/** After this number of failures in a row, a moved feed is fetched at its original address again. */
const maxFailuresAfterMove = 3

export type FailureDetails = { reason: Reason; retryAfterSeconds?: number | null }

export function fetchFailure({
  reason: message,
  status,
  retryAfterSeconds,
}: Extract<Fetched, { kind: 'failed' }>): FailureDetails {
  const reason: Reason =
    status === null ? { code: 'feed-unreachable', message } : { code: 'feed-status', status, message }
  return { reason, retryAfterSeconds }
}

/** Records the failure and the next fetch, and undoes a move that fails. */
export async function recordFeedFailure(
  { db, clock, log }: { db: Db; clock: Clock; log: Log },
  feed: FeedRow,
  { reason, retryAfterSeconds: retryAfter = null }: FailureDetails,
): Promise<{ url: string; kind: 'failed'; reason: Reason }> {
  const now = clock.now()
  const failures = feed.failures + 1
  const failure: FeedFailure = { nextFetchAt: nextPollAfterFailure({ feedId: feed.id, failures, retryAfter }, now) }
  if (reason.code === 'feed-status' && reason.status === 410) {
    failure.goneAt = now
    const gone = { kind: 'feed.gone' as const, data: { status: reason.status } }
    await addFeedEventOnce(db, { ...gone, actor: 'system', feed: feed.id }, now)
  } else if (feed.address !== null && failures >= maxFailuresAfterMove) {
    Object.assign(failure, { address: null, etag: null, lastModified: null })
    await addFeedEventOnce(db, moveUndone(feed, 'failing'), now)
  }
  await recordFailure(db, feed.id, reason, now, failure)
  const next = failure.goneAt ? null : failure.nextFetchAt
  log.warn({ event: 'feed.failed', feed: feed.url, reason: describeReason(reason), failures, next }, 'feed failed')
  return { url: feed.url, kind: 'failed', reason }
}
