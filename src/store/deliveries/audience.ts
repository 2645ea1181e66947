import { sql } from 'kysely'
import type { Instant } from '../../time/clock.ts'
import { transaction } from '../drivers/transaction.ts'
import { lockEdition } from '../editions/editions.ts'
import type { Engine } from '../engine.ts'
import type { Db } from '../schema.ts'
import { domainOf, providerOrDomain, ringPlace } from '../subscribers/domain.ts'
import { activeSubscribers } from '../subscribers/subscribers.ts'
import { CountChange, writeCounts } from './counts.ts'
import { addSlices } from './slices.ts'

/** The last subscriber with a delivery: how far the audience of the edition is frozen. */
export async function lastFrozenSubscriber(db: Db, editionId: string): Promise<string> {
  const last = await db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.max('subscriberId').as('id'))
    .where('editionId', '=', editionId)
    .executeTakeFirst()
  return last?.id ?? ''
}

/** Which deliveries of the audience have to wait. */
export type AudiencePlan = {
  /** Each delivery waits for the hour of its zone (`store/zone-sends.ts`), or until `otherwise` where the zone has none. */
  byZone?: { otherwise: Instant }
  /** Of providers that have a canary (`store/canaries.ts`), only the first share is sent now. */
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
  if ((await lockEdition(db, edition.id))?.status !== 'sending') return null
  const frozen = await lastFrozenSubscriber(db, edition.id)
  if (frozen > page.after) return frozen // another process was quicker
  const active = activeSubscribers(db, edition.digest).where('subscriptions.subscriberId', '>', page.after)
  const last = await active
    .select('subscriptions.subscriberId as id')
    .orderBy('subscriptions.subscriberId')
    .offset(page.size - 1)
    .limit(1)
    .executeTakeFirst()
  const { byZone, canaries } = shape
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
          (byZone ? sql<string | null>`coalesce(zone_sends.at, ${byZone.otherwise})` : nullText).as('nextAttemptAt'),
          (canaries ? sql<string | null>`case when ${isFirstShare} then null else canaries.name end` : nullText).as(
            'canary',
          ),
          (canaries ? sql<string | null>`case when ${isFirstShare} then canaries.name end` : nullText).as('firstOf'),
        ])
      if (byZone)
        rows = rows.leftJoin('zoneSends', (join) =>
          join.on('zoneSends.editionId', '=', edition.id).onRef('zoneSends.zone', '=', 'subscribers.zone'),
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
  const people = Number(numInsertedOrUpdatedRows ?? 0)
  await addSlices(db, edition.id, { after: page.after, last: last?.id, people })
  const change = new CountChange()
  change.add('queued', people)
  await writeCounts(db, edition.id, change)
  return last?.id ?? null
}

const nullText = sql<string | null>`null`

/** Whether the subscriber is in a provider's first share: the place is between the share's two places. */
const isFirstShare = sql`(
  canaries.first_place <= canaries.last_place and ${ringPlace} between canaries.first_place and canaries.last_place
  or canaries.first_place > canaries.last_place and (${ringPlace} >= canaries.first_place or ${ringPlace} <= canaries.last_place))`
