import { moveEdition, nextNumber, unapprovedEditions } from '../store/editions/editions.ts'
import { addEvent } from '../store/events/events.ts'
import type { Reason } from '../store/events/reason.ts'
import { toJson } from '../store/json.ts'
import { addMails } from '../store/outbox/outbox.ts'
import type { Db, EditionRow } from '../store/schema.ts'
import type { Instant } from '../time/clock.ts'
import { releaseContents } from './review.ts'

/**
 * The editions of a digest that end when a newer one is made: due before it and by now, approved by nobody. One that a
 * person holds stays until a person decides about it.
 */
export async function replaceableEditions(db: Db, digest: string, dueAt: Instant, now: Instant): Promise<EditionRow[]> {
  const waiting = await unapprovedEditions(db, digest)
  return waiting.filter((edition) => edition.dueAt < dueAt && edition.dueAt <= now && edition.heldBy === null)
}

/**
 * Ends them: cancelled, "replaced by edition N". Their articles, letters and corrections can be chosen again, and the
 * editors are told. Part of the transaction that makes edition N. Returns those that it ended.
 */
export async function cancelUnapproved(db: Db, digest: string, dueAt: Instant, now: Instant): Promise<EditionRow[]> {
  const number = await nextNumber(db, digest)
  const reason: Reason = { code: 'replaced', number }
  const ended: EditionRow[] = []
  for (const edition of await replaceableEditions(db, digest, dueAt, now)) {
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
