import type { Instant } from '../clock.ts'
import type { Db } from './schema.ts'
import { activeIn } from './subscribers.ts'

/** How far the audience of the edition is frozen: the last subscriber that has a delivery. */
export async function frozenUntil(db: Db, editionId: string): Promise<string> {
  const last = await db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.max('subscriberId').as('id'))
    .where('editionId', '=', editionId)
    .executeTakeFirst()
  return last?.id ?? ''
}

/**
 * Freezes the next page of the audience: one delivery for each active subscriber after `after`, if the edition is still
 * being sent. Returns the last of the page, or null if it was the last page. Doing a page twice changes nothing.
 */
export async function freezePage(
  db: Db,
  edition: { id: string; digest: string },
  page: { after: string; size: number },
  now: Instant,
): Promise<string | null> {
  const active = activeIn(db, edition.digest).where('subscriptions.subscriberId', '>', page.after)
  const last = await active
    .select('subscriptions.subscriberId as id')
    .orderBy('subscriptions.subscriberId')
    .offset(page.size - 1)
    .limit(1)
    .executeTakeFirst()
  await db
    .insertInto('deliveries')
    .columns(['editionId', 'subscriberId', 'status', 'attempts', 'updatedAt'])
    .expression((eb) => {
      const rows = active
        .innerJoin('editions', (join) => join.on('editions.id', '=', edition.id).on('editions.status', '=', 'sending'))
        .select([
          'editions.id as editionId',
          'subscriptions.subscriberId',
          eb.val('queued').as('status'),
          eb.lit(0).as('attempts'),
          eb.val(now).as('updatedAt'),
        ])
      return last ? rows.where('subscriptions.subscriberId', '<=', last.id) : rows
    })
    .onConflict((conflict) => conflict.columns(['editionId', 'subscriberId']).doNothing())
    .execute()
  return last?.id ?? null
}
