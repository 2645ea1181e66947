import type { Instant } from '../../time/clock.ts'
import { newId } from '../id.ts'
import type { Db, NotificationRow } from '../schema.ts'

/** Puts down that the editors are to be called to an edition. Of some kinds it has one: a second changes nothing. */
export async function addNotification(
  db: Db,
  editionId: string,
  { kind, what }: Pick<NotificationRow, 'kind' | 'what'>,
  now: Instant,
): Promise<void> {
  await db
    .insertInto('calls')
    .values({ id: newId(now), editionId, at: now, kind, what, tellingUntil: null, toldAt: null })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/**
 * Takes on the calls since `since` that nobody has made, or is making. Who dies over it leaves them to others after
 * `until`; a mark beyond that was set by a wrong clock.
 */
export function claimNotifications(db: Db, { since, now, until }: Record<'since' | 'now' | 'until', Instant>) {
  return db
    .updateTable('calls')
    .set({ tellingUntil: until })
    .where('toldAt', 'is', null)
    .where('at', '>=', since)
    .where((eb) =>
      eb.or([eb('tellingUntil', 'is', null), eb('tellingUntil', '<=', now), eb('tellingUntil', '>', until)]),
    )
    .returningAll()
    .execute()
}

export async function recordNotified(db: Db, id: string, now: Instant): Promise<void> {
  await db.updateTable('calls').set({ toldAt: now }).where('id', '=', id).execute()
}

export function notificationsOf(db: Db, editionId: string): Promise<NotificationRow[]> {
  return db.selectFrom('calls').selectAll().where('editionId', '=', editionId).orderBy('id').execute()
}
