import { addMs, type Instant, minute } from '../../time/clock.ts'
import { markDue } from '../deliveries/slices.ts'
import { transaction } from '../drivers/transaction.ts'
import { unsentStatuses } from '../edition-status.ts'
import { newId } from '../id.ts'
import { fromJson } from '../json.ts'
import { releaseArticles } from '../ledger/ledger.ts'
import { addMails, deleteMails, mailKey } from '../outbox/outbox.ts'
import type { ClockFaultRow, Db, EditionRow } from '../schema.ts'

/** The largest allowed difference between the clocks of machines that share a store; a later time is from a wrong clock. */
const maxSkewMs = 5 * minute

/** Whether a clock that was ahead wrote this, by the current time. */
export function isFromFuture(writtenAt: Instant, now: Instant): boolean {
  return writtenAt > addMs(now, maxSkewMs)
}

/** The digest's edition for that due time. */
export function editionDueAt(db: Db, digest: string, dueAt: Instant): Promise<EditionRow | undefined> {
  return db
    .selectFrom('editions')
    .selectAll()
    .where('digest', '=', digest)
    .where('dueAt', '=', dueAt)
    .executeTakeFirst()
}

/** The newest due time up to `now`, without runs that a clock ahead of `now` recorded as skipped. */
export async function lastDueBy(db: Db, digest: string, now: Instant): Promise<Instant | undefined> {
  const row = await db
    .selectFrom('editions')
    .select((eb) => eb.fn.max('dueAt').as('dueAt'))
    .where('digest', '=', digest)
    .where('dueAt', '<=', now)
    .where((eb) => eb.or([eb('status', '!=', 'skipped'), eb('composedAt', '<=', addMs(now, maxSkewMs))]))
    .executeTakeFirst()
  return row?.dueAt ?? undefined
}

export type FutureSkip = Pick<EditionRow, 'id' | 'dueAt' | 'composedAt' | 'reason'>

/** The runs after `after` that a clock ahead of `now` recorded as skipped, by due time. */
export function futureSkips(db: Db, digest: string, after: Instant, now: Instant): Promise<FutureSkip[]> {
  return db
    .selectFrom('editions')
    .select(['id', 'dueAt', 'composedAt', 'reason'])
    .where('digest', '=', digest)
    .where('dueAt', '>', after)
    .where('status', '=', 'skipped')
    .where('composedAt', '>', addMs(now, maxSkewMs))
    .orderBy('dueAt')
    .execute()
}

/** Unsent editions of the digest that a clock ahead of `now` composed. */
export function futureEditions(db: Db, digest: string, now: Instant): Promise<EditionRow[]> {
  return db
    .selectFrom('editions')
    .selectAll()
    .where('digest', '=', digest)
    .where('status', 'in', unsentStatuses)
    .where('composedAt', '>', addMs(now, maxSkewMs))
    .orderBy('dueAt')
    .execute()
}

/** How long the email to the editors waits for faults of other digests, to report all in one. */
const noticeDelayMs = minute

type NewFault = { digest: string; aheadUntil: Instant; skips: FutureSkip[] }

/**
 * Records that a clock was ahead, and reopens the runs that it skipped too early, whose data stays with the fault.
 * Returns whether this fault is new.
 */
export function reopenRuns(db: Db, { digest, aheadUntil, skips }: NewFault, now: Instant): Promise<boolean> {
  return transaction(db, async (trx) => {
    for (const { id } of skips) {
      await releaseArticles(trx, id)
      await trx.deleteFrom('choices').where('editionId', '=', id).execute()
      await trx.deleteFrom('events').where('edition', '=', id).execute()
      await trx.deleteFrom('editions').where('id', '=', id).where('status', '=', 'skipped').execute()
      await deleteMails(trx, { keys: [mailKey('run-skipped', [id])] }) // a later skip needs its own notice
    }
    const reopened = JSON.stringify(
      skips.map(({ dueAt, composedAt, reason }) => ({ dueAt, composedAt, reason: reason && fromJson(reason) })),
    )
    const fault = { id: newId(now), digest, aheadUntil, noticedAt: now, reopened }
    const added = await trx
      .insertInto('clockFaults')
      .values(fault)
      .onConflict((conflict) => conflict.columns(['digest', 'aheadUntil']).doNothing())
      .returning('id')
      .executeTakeFirst()
    if (added)
      await addMails(
        trx,
        [{ kind: 'wrong-clock', about: [added.id], facts: { fault: added.id }, notBefore: addMs(now, noticeDelayMs) }],
        now,
      )
    return added !== undefined
  })
}

/** Whether the digest's mark is known to come from a clock that was ahead. */
export async function isKnownFault(db: Db, digest: string, aheadUntil: Instant): Promise<boolean> {
  const fault = await db
    .selectFrom('clockFaults')
    .select('id')
    .where('digest', '=', digest)
    .where('aheadUntil', '=', aheadUntil)
    .executeTakeFirst()
  return fault !== undefined
}

export function clockFaultsByIds(db: Db, ids: string[]): Promise<ClockFaultRow[]> {
  return db.selectFrom('clockFaults').selectAll().where('id', 'in', ids).orderBy('id').execute()
}

/** Makes deliveries and first shares due again that a clock ahead of `now` postponed. */
export async function clearFutureWaits(db: Db, editionId: string, now: Instant): Promise<void> {
  const ahead = addMs(now, maxSkewMs)
  const waiting = await db
    .updateTable('deliveries')
    .set({ nextAttemptAt: null, updatedAt: now })
    .where('editionId', '=', editionId)
    .where('exception', 'in', ['deferred', 'unknown'])
    .where('nextAttemptAt', 'is not', null)
    .where('updatedAt', '>', ahead)
    .returning('subscriberId')
    .execute()
  await markDue(
    db,
    editionId,
    waiting.map(({ subscriberId }) => subscriberId),
  )
  await db
    .updateTable('canaries')
    .set({ waitingSince: now })
    .where('editionId', '=', editionId)
    .where('waitingSince', '>', ahead)
    .execute()
}
