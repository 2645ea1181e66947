import type { Instant } from '../../time/clock.ts'
import type { Db, EditionRow } from '../schema.ts'

/** Skipped runs of these digests, due since then, of which nobody has told the editors. */
export async function skipsToNotify(db: Db, digests: string[], since: Instant): Promise<EditionRow[]> {
  if (digests.length === 0) return []
  return await db
    .selectFrom('editions')
    .leftJoin('skipNotices', 'skipNotices.editionId', 'editions.id')
    .selectAll('editions')
    .where('editions.status', '=', 'skipped')
    .where('editions.digest', 'in', digests)
    .where('editions.dueAt', '>=', since)
    .where('skipNotices.toldAt', 'is', null)
    .orderBy('editions.dueAt')
    .execute()
}

/**
 * Takes on to tell the editors of a skipped run. False: another process has told them, or is telling them. A process
 * that dies over it leaves it to others after `until`.
 */
export async function claimSkipNotice(db: Db, editionId: string, now: Instant, until: Instant): Promise<boolean> {
  const claimed = await db
    .insertInto('skipNotices')
    .values({ editionId, tellingUntil: until, toldAt: null })
    .onConflict((conflict) =>
      conflict
        .column('editionId')
        .doUpdateSet({ tellingUntil: until })
        .where('skipNotices.toldAt', 'is', null)
        .where((eb) =>
          eb.or([
            eb('skipNotices.tellingUntil', '<=', now),
            eb('skipNotices.tellingUntil', '>', until), // by a clock that was ahead
          ]),
        ),
    )
    .returning('editionId')
    .executeTakeFirst()
  return claimed !== undefined
}

export async function recordSkipNotice(db: Db, editionId: string, toldAt: Instant): Promise<void> {
  await db.updateTable('skipNotices').set({ toldAt }).where('editionId', '=', editionId).execute()
}

/** Leaves it to whoever looks next: the notice could not be sent. */
export async function releaseSkipNotice(db: Db, editionId: string, now: Instant): Promise<void> {
  await db.updateTable('skipNotices').set({ tellingUntil: now }).where('editionId', '=', editionId).execute()
}
