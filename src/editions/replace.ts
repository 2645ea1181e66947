import type { Instant } from '../clock.ts'
import { addCall } from '../store/calls.ts'
import { moveEdition, nextNumber, note, unapprovedEditions } from '../store/editions.ts'
import type { Db, EditionRow } from '../store/schema.ts'
import { giveBackAll } from './review.ts'

/**
 * The editions of a digest that end when a newer one is made: due before it and by now, approved by nobody. One that a
 * person holds stays until a person decides about it.
 */
export async function replaceable(db: Db, digest: string, dueAt: Instant, now: Instant): Promise<EditionRow[]> {
  const waiting = await unapprovedEditions(db, digest)
  return waiting.filter((edition) => edition.dueAt < dueAt && edition.dueAt <= now && edition.heldBy === null)
}

/**
 * Ends them: cancelled, "replaced by edition N". Their articles, letters and corrections can be chosen again, and the
 * editors are told. Part of the transaction that makes edition N. Returns those that it ended.
 */
export async function endUnapproved(db: Db, digest: string, dueAt: Instant, now: Instant): Promise<EditionRow[]> {
  const number = await nextNumber(db, digest)
  const reason = `replaced by edition ${number}`
  const ended: EditionRow[] = []
  for (const edition of await replaceable(db, digest, dueAt, now)) {
    const change = { status: 'cancelled' as const, finishedAt: now, reason }
    if (!(await moveEdition(db, edition.id, ['composed', 'sealed', 'held'], change))) continue
    await giveBackAll(db, edition.id, now)
    await note(db, edition.id, 'lastword', `cancelled: ${reason}`, now)
    await addCall(db, edition.id, { kind: 'replaced', what: reason }, now)
    ended.push(edition)
  }
  return ended
}
