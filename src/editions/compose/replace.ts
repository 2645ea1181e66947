import { lockEdition, moveEdition, nextNumber, unapprovedEditions } from '../../store/editions/editions.ts'
import { addEvent } from '../../store/events/events.ts'
import type { Reason } from '../../store/events/reason.ts'
import { toJson } from '../../store/json.ts'
import { addMails } from '../../store/outbox/outbox.ts'
import type { Db, EditionRow } from '../../store/schema.ts'
import type { Instant } from '../../time/clock.ts'
import { releaseContents } from '../review/cancel.ts'

/**
 * The unapproved editions that a new edition replaces: due before it and due by `now`. An edition held by a person is
 * not replaced.
 */
export async function replaceableEditions(db: Db, digest: string, dueAt: Instant, now: Instant): Promise<EditionRow[]> {
  const waiting = await unapprovedEditions(db, digest)
  return waiting.filter((edition) => edition.dueAt < dueAt && edition.dueAt <= now && edition.heldBy === null)
}

/**
 * Cancels the replaceable editions, releases their contents and notifies the editors, in the transaction that makes the
 * new edition. Returns the cancelled editions.
 */
export async function cancelUnapproved(db: Db, digest: string, dueAt: Instant, now: Instant): Promise<EditionRow[]> {
  const number = await nextNumber(db, digest)
  const reason: Reason = { code: 'replaced', number }
  const ended: EditionRow[] = []
  for (const edition of await replaceableEditions(db, digest, dueAt, now)) {
    if ((await lockEdition(db, edition.id))?.heldBy !== null) continue // a person held it in this moment
    const change = { status: 'cancelled' as const, finishedAt: now, reason: toJson(reason) }
    if (!(await moveEdition(db, edition.id, ['composed', 'sealed', 'held'], change))) continue
    await releaseContents(db, edition.id, now)
    await addEvent(db, { kind: 'edition.cancelled', actor: 'system', edition: edition.id, data: { reason } }, now)
    const facts = { edition: edition.id, by: number }
    await addMails(db, [{ kind: 'edition-replaced', about: [edition.id], facts }], now)
    ended.push(edition)
  }
  return ended
}
