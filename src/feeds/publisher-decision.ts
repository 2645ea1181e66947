import { person } from '../store/events/event.ts'
import { addEvent, addFeedEventOnce } from '../store/events/events.ts'
import { isOtherFeedAddress } from '../store/feeds/feeds.ts'
import { acceptPublisher, refusePublisher } from '../store/feeds/publishers.ts'
import { fromJson } from '../store/json.ts'
import type { Db, FeedRow } from '../store/schema.ts'
import type { Clock } from '../time/clock.ts'
import { canMoveTo } from './feed-address.ts'

export type PublisherDecision = 'release' | 'ignore'

/** Whether an editor can still accept (`release`) or refuse (`ignore`) the new publisher of the feed. */
export function isPublisherOpen({ newPublisherAt, notOursAt }: FeedRow, decision: PublisherDecision): boolean {
  return newPublisherAt !== null && (decision === 'release' || notOursAt === null)
}

/** Records the decision about the feed's new publisher, if it has one; a refusal undoes a move. */
export async function decidePublisher(
  { db, clock }: { db: Db; clock: Clock },
  feed: FeedRow,
  { decision, who }: { decision: PublisherDecision; who: string },
): Promise<void> {
  if (feed.newPublisher === null || !isPublisherOpen(feed, decision)) return
  const now = clock.now()
  const { title, movedTo } = fromJson(feed.newPublisher)
  const about = { actor: person(who), feed: feed.id, data: { title } }
  if (decision === 'release') {
    const isFree = movedTo !== null && canMoveTo(feed, movedTo) && !(await isOtherFeedAddress(db, feed.id, movedTo))
    await acceptPublisher(db, feed, isFree ? movedTo : feed.address)
    await addEvent(db, { kind: 'feed.publisher_accepted', ...about }, now)
    return
  }
  await refusePublisher(db, feed, now)
  await addEvent(db, { kind: 'feed.publisher_refused', ...about }, now)
  const from = movedTo ?? feed.address
  if (from === null) return
  const data = { from, to: feed.url, why: 'not-ours' as const }
  await addFeedEventOnce(db, { kind: 'feed.move_undone', actor: 'system', feed: feed.id, data }, now)
}
