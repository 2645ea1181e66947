import { addMs, type Instant } from '../../time/clock.ts'
import { newId } from '../id.ts'
import type { ConfirmationRow, Db } from '../schema.ts'

export type NewConfirmation = Pick<ConfirmationRow, 'digest' | 'subscriberId' | 'editionId' | 'how'>

/** `interval`: milliseconds between two emails to one person. */
type Throttle = { now: Instant; interval: number }

/**
 * Records a request to subscribe again; returns the id of the confirmation to email. Undefined, without a change, while
 * an earlier request's email waits or was sent less than `interval` ago. A sent link works until it is used or expires.
 */
export async function addConfirmation(
  db: Db,
  asked: NewConfirmation,
  { now, interval, expiresAt }: Throttle & { expiresAt: Instant },
): Promise<string | undefined> {
  const fresh = { ...asked, askedAt: now, expiresAt, sentAt: null, usedAt: null }
  const row = await db
    .insertInto('confirmations')
    .values({ id: newId(now), ...fresh })
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
            eb('confirmations.sentAt', '<=', addMs(now, -interval)),
            eb('confirmations.sentAt', '>', now), // by a clock that was ahead
          ]),
        ),
    )
    .returning('id')
    .executeTakeFirst()
  return row?.id
}

/**
 * Begins the email of a confirmation: `'begun'`, or the earliest time for it, because the person got one for another
 * digest less than `interval` ago. Part of a transaction.
 */
export async function beginConfirmation(
  db: Db,
  { id, subscriberId }: Pick<ConfirmationRow, 'id' | 'subscriberId'>,
  { now, interval }: Throttle,
): Promise<'begun' | { notBefore: Instant }> {
  await lockSubscriber(db, subscriberId)
  const last = await db
    .selectFrom('confirmations')
    .select('sentAt')
    .where('subscriberId', '=', subscriberId)
    .where('id', '!=', id)
    .where('sentAt', '>', addMs(now, -interval))
    .where('sentAt', '<=', now)
    .orderBy('sentAt', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (last?.sentAt) return { notBefore: addMs(last.sentAt, interval) }
  await db.updateTable('confirmations').set({ sentAt: now }).where('id', '=', id).execute()
  return 'begun'
}

/** Two processes with an email for the same person wait for each other, until their transactions end. */
async function lockSubscriber(db: Db, id: string): Promise<void> {
  await db
    .updateTable('subscribers')
    .set((eb) => ({ name: eb.ref('name') }))
    .where('id', '=', id)
    .execute()
}

export function confirmationById(db: Db, id: string): Promise<ConfirmationRow | undefined> {
  return db.selectFrom('confirmations').selectAll().where('id', '=', id).executeTakeFirst()
}

export async function useConfirmation(db: Db, id: string, now: Instant): Promise<void> {
  await db.updateTable('confirmations').set({ usedAt: now }).where('id', '=', id).where('usedAt', 'is', null).execute()
}

export async function removeConfirmation(db: Db, id: string): Promise<void> {
  await db.deleteFrom('confirmations').where('id', '=', id).execute()
}

/** Deletes confirmations that expired before that instant. */
export async function deleteExpiredConfirmations(db: Db, expiredBefore: Instant): Promise<void> {
  await db.deleteFrom('confirmations').where('expiresAt', '<=', expiredBefore).execute()
}
