import { maxLength } from '../config/field-limits.ts'
import type { Log } from '../log.ts'
import { addFeedEventOnce } from '../store/events/events.ts'
import { isOtherFeedAddress } from '../store/feeds/feeds.ts'
import type { Db, FeedRow } from '../store/schema.ts'
import type { Clock } from '../time/clock.ts'

type Needs = { db: Db; clock: Clock; log: Log }

/** The address after a permanent redirect, else the one in the job files. */
export function currentUrl({ address, url }: Pick<FeedRow, 'address' | 'url'>): string {
  return address ?? url
}

/**
 * The new address of a feed after a permanent redirect; the job files keep the original one. An address that is too long
 * to save, belongs to another feed or gives up TLS is followed at each fetch.
 */
export async function urlAfterMove(needs: Needs, feed: FeedRow, movedTo: string | null) {
  if (movedTo === null || movedTo === currentUrl(feed) || movedTo.length > maxLength.address) return {}
  const { db, clock, log } = needs
  const about = { actor: 'system' as const, feed: feed.id }
  if (await isOtherFeedAddress(db, feed.id, movedTo)) {
    const data = { to: movedTo, url: currentUrl(feed) }
    if (await addFeedEventOnce(db, { kind: 'feed.move_ignored', ...about, data }, clock.now()))
      log.warn({ event: 'feed.move_ignored', feed: feed.url, movedTo }, 'feed moved to the address of another feed')
    return {}
  }
  if (givesUpTls(currentUrl(feed), movedTo)) {
    const data = { to: movedTo, url: currentUrl(feed) }
    if (await addFeedEventOnce(db, { kind: 'feed.move_insecure', ...about, data }, clock.now()))
      log.warn({ event: 'feed.move_insecure', feed: feed.url, movedTo }, 'feed moved from https to http')
    return {}
  }
  const data = { from: currentUrl(feed), to: movedTo }
  await addFeedEventOnce(db, { kind: 'feed.moved', ...about, data }, clock.now())
  log.warn({ event: 'feed.moved', feed: feed.url, ...data }, 'feed moved permanently: it is fetched at its new address')
  return { address: movedTo === feed.url ? null : movedTo }
}

/** Whether the address can be saved for a feed: it is not too long, and does not give up TLS. */
export function canMoveTo(feed: FeedRow, movedTo: string): boolean {
  return movedTo.length <= maxLength.address && !givesUpTls(currentUrl(feed), movedTo)
}

/** Whether the first address is https and the second is not. */
function givesUpTls(from: string, to: string): boolean {
  return /^https:/i.test(from) && !/^https:/i.test(to)
}

export function moveUndone({ id, address, url }: FeedRow, why: 'gone' | 'failing') {
  const data = { from: address ?? url, to: url, why }
  return { kind: 'feed.move_undone' as const, actor: 'system' as const, feed: id, data }
}
