import { sql } from 'kysely'
import type { Instant } from '../../time/clock.ts'
import { transaction } from '../drivers/transaction.ts'
import type { Engine } from '../engine.ts'
import type { Db } from '../schema.ts'
import { domainOf, providerOrDomain, ringPlace } from '../subscribers/domain.ts'
import { activeSubscribers } from '../subscribers/subscribers.ts'
import { CountChange, writeSharedCounts } from './counts.ts'

/** How far the audience of the edition is frozen: the last subscriber that has a delivery. */
export async function lastFrozenSubscriber(db: Db, editionId: string): Promise<string> {
  const last = await db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.max('subscriberId').as('id'))
    .where('editionId', '=', editionId)
    .executeTakeFirst()
  return last?.id ?? ''
}

/** What of the audience does not go at once. */
export type AudiencePlan = {
  /** Each copy waits for its slice (`store/slices.ts`), or until then where the zone of its subscriber has none. */
  sliced?: { otherwise: Instant }
  /** Of the providers that have a canary (`store/canaries.ts`) only the first share goes at once. */
  canaries?: Engine
}

/**
 * Freezes the next page of the audience: one delivery for each active subscriber after `after`, if the edition is still
 * being sent. Returns the last of the page, or null if it was the last page. Doing a page twice changes nothing.
 */
export function freezePage(
  db: Db,
  edition: { id: string; digest: string },
  page: { after: string; size: number },
  now: Instant,
  shape: AudiencePlan = {},
): Promise<string | null> {
  return transaction(db, (trx) => freeze(trx, edition, page, now, shape))
}

async function freeze(
  db: Db,
  edition: { id: string; digest: string },
  page: { after: string; size: number },
  now: Instant,
  shape: AudiencePlan,
): Promise<string | null> {
  const active = activeSubscribers(db, edition.digest).where('subscriptions.subscriberId', '>', page.after)
  const last = await active
    .select('subscriptions.subscriberId as id')
    .orderBy('subscriptions.subscriberId')
    .offset(page.size - 1)
    .limit(1)
    .executeTakeFirst()
  const { sliced, canaries } = shape
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('deliveries')
    .columns(['editionId', 'subscriberId', 'status', 'attempts', 'updatedAt', 'nextAttemptAt', 'canary', 'firstOf'])
    .expression((eb) => {
      let rows = active
        .innerJoin('editions', (join) => join.on('editions.id', '=', edition.id).on('editions.status', '=', 'sending'))
        .select([
          'editions.id as editionId',
          'subscriptions.subscriberId',
          eb.val('queued').as('status'),
          eb.lit(0).as('attempts'),
          eb.val(now).as('updatedAt'),
          (sliced ? sql<string | null>`coalesce(slices.at, ${sliced.otherwise})` : nullText).as('nextAttemptAt'),
          (canaries ? sql<string | null>`case when ${isFirstShare} then null else canaries.name end` : nullText).as(
            'canary',
          ),
          (canaries ? sql<string | null>`case when ${isFirstShare} then canaries.name end` : nullText).as('firstOf'),
        ])
      if (sliced)
        rows = rows.leftJoin('slices', (join) =>
          join.on('slices.editionId', '=', edition.id).onRef('slices.zone', '=', 'subscribers.zone'),
        ) as unknown as typeof rows
      if (canaries)
        rows = rows
          .leftJoin('providers', (join) => join.on('providers.domain', '=', domainOf(canaries)))
          .leftJoin('canaries', (join) =>
            join.on('canaries.editionId', '=', edition.id).on('canaries.name', '=', providerOrDomain(canaries)),
          ) as unknown as typeof rows
      return last ? rows.where('subscriptions.subscriberId', '<=', last.id) : rows
    })
    .onConflict((conflict) => conflict.columns(['editionId', 'subscriberId']).doNothing())
    .executeTakeFirst()
  const change = new CountChange()
  change.add('queued', Number(numInsertedOrUpdatedRows ?? 0))
  await writeSharedCounts(db, edition.id, change)
  return last?.id ?? null
}

const nullText = sql<string | null>`null`

/** Whether the subscriber is of the first share of a provider: stands between its two places. */
const isFirstShare = sql`(
  canaries.first_place <= canaries.last_place and ${ringPlace} between canaries.first_place and canaries.last_place
  or canaries.first_place > canaries.last_place and (${ringPlace} >= canaries.first_place or ${ringPlace} <= canaries.last_place))`
