import { addMs, hour, type Instant } from '../../time/clock.ts'
import { newId } from '../id.ts'
import type { ConfirmationRow, Db } from '../schema.ts'

export type NewConfirmation = Pick<ConfirmationRow, 'digest' | 'subscriberId' | 'editionId' | 'how'>

/** No email is taken on for longer: a mark beyond it is from a clock that was ahead, and is not obeyed. */
const maxLeaseMs = hour

/** `interval`: milliseconds between two emails to one person. */
type Throttle = { now: Instant; interval: number }

/**
 * Puts down that a person wants to subscribe again, and that they are to be sent the link that confirms it. Nothing
 * changes while an earlier request waits for its email, or had it less than `interval` ago. A link that was sent stays
 * good, unless it was used or has expired.
 */
export async function addConfirmation(
  db: Db,
  asked: NewConfirmation,
  { now, interval, expiresAt }: Throttle & { expiresAt: Instant },
): Promise<void> {
  const fresh = { ...asked, askedAt: now, expiresAt, waitingSince: now, usedAt: null }
  await db
    .insertInto('confirmations')
    .values({ id: newId(now), ...fresh, sendingUntil: null, sentAt: null })
    .onConflict((conflict) =>
      conflict
        .columns(['digest', 'subscriberId'])
        .doUpdateSet((eb) => ({
          ...fresh,
          id: eb
            .case()
            .when(eb.or([eb('confirmations.usedAt', 'is not', null), eb('confirmations.expiresAt', '<=', now)]))
            .then(eb.ref('excluded.id'))
            .else(eb.ref('confirmations.id'))
            .end(),
        }))
        .where((eb) =>
          eb.or([
            eb('confirmations.usedAt', 'is not', null),
            eb('confirmations.expiresAt', '<=', now),
            eb.and([
              eb('confirmations.waitingSince', 'is', null),
              eb.or([
                eb('confirmations.sentAt', '<=', addMs(now, -interval)),
                eb('confirmations.sentAt', '>', now), // by a clock that was ahead
              ]),
            ]),
          ]),
        ),
    )
    .execute()
}

/** The ids of those whose email is to be sent, and that nobody is sending, the oldest first. */
export async function waitingConfirmations(db: Db, now: Instant, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('confirmations')
    .select('id')
    .where('waitingSince', 'is not', null)
    .where('expiresAt', '>', now)
    .where((eb) =>
      eb.or([
        eb('sendingUntil', 'is', null),
        eb('sendingUntil', '<=', now),
        eb('sendingUntil', '>', addMs(now, maxLeaseMs)),
      ]),
    )
    .orderBy('waitingSince')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}

/**
 * Takes on the email of one confirmation; undefined if another process has it, or the person had one, of whatever digest,
 * less than `interval` ago. A process that dies over it leaves it to others after `interval`: the email may be out.
 */
export async function claimConfirmation(
  db: Db,
  id: string,
  { now, interval }: Throttle,
): Promise<ConfirmationRow | undefined> {
  const row = await confirmationById(db, id)
  if (!row) return undefined
  await lockSubscriber(db, row.subscriberId)
  const others = await db
    .selectFrom('confirmations')
    .select('id')
    .where('subscriberId', '=', row.subscriberId)
    .where((eb) =>
      eb.or([
        eb.and([eb('sentAt', '>', addMs(now, -interval)), eb('sentAt', '<=', now)]),
        eb.and([eb('sendingUntil', '>', now), eb('sendingUntil', '<=', addMs(now, maxLeaseMs))]),
      ]),
    )
    .executeTakeFirst()
  if (others) return undefined
  return await db
    .updateTable('confirmations')
    .set({ sendingUntil: addMs(now, interval) })
    .where('id', '=', id)
    .where('waitingSince', 'is not', null)
    .where('usedAt', 'is', null)
    .returningAll()
    .executeTakeFirst()
}

/** Two processes that each have an email for the same person take turns, until their transactions end. */
async function lockSubscriber(db: Db, id: string): Promise<void> {
  await db
    .updateTable('subscribers')
    .set((eb) => ({ name: eb.ref('name') }))
    .where('id', '=', id)
    .execute()
}

/** The email is out, or will never be. */
export async function recordConfirmationSent(db: Db, id: string, now: Instant): Promise<void> {
  await db
    .updateTable('confirmations')
    .set({ waitingSince: null, sendingUntil: null, sentAt: now })
    .where('id', '=', id)
    .execute()
}

/** The email is not out, and may be tried again from then on. */
export async function retryConfirmation(db: Db, id: string, from: Instant): Promise<void> {
  await db.updateTable('confirmations').set({ sendingUntil: from }).where('id', '=', id).execute()
}

export function confirmationById(db: Db, id: string): Promise<ConfirmationRow | undefined> {
  return db.selectFrom('confirmations').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function useConfirmation(db: Db, id: string, now: Instant): Promise<void> {
  await db
    .updateTable('confirmations')
    .set({ usedAt: now, waitingSince: null })
    .where('id', '=', id)
    .where('usedAt', 'is', null)
    .execute()
}

export async function removeConfirmation(db: Db, id: string): Promise<void> {
  await db.deleteFrom('confirmations').where('id', '=', id).execute()
}

/** Forgets those that expired before that instant. */
export async function deleteExpiredConfirmations(db: Db, expiredBefore: Instant): Promise<void> {
  await db.deleteFrom('confirmations').where('expiresAt', '<=', expiredBefore).execute()
}
