import type { Instant } from '../../time/clock.ts'
import type { Db } from '../schema.ts'
import { activeSubscribers } from '../subscribers/subscribers.ts'

/** The known zones of the digest's active subscribers. */
export async function subscriberZones(db: Db, digest: string): Promise<string[]> {
  const rows = await activeSubscribers(db, digest)
    .select('subscribers.zone')
    .where('subscribers.zone', 'is not', null)
    .distinct()
    .execute()
  return rows.flatMap(({ zone }) => (zone === null ? [] : [zone])).sort()
}

/** Saves when the edition is sent to each zone; existing rows stay. */
export async function addZoneSends(db: Db, editionId: string, sends: { zone: string; at: Instant }[]): Promise<void> {
  if (sends.length === 0) return
  await db
    .insertInto('zoneSends')
    .values(sends.map(({ zone, at }) => ({ editionId, zone, at })))
    .onConflict((conflict) => conflict.columns(['editionId', 'zone']).doNothing())
    .execute()
}

/** The number of deliveries that wait for their hour, by that hour, earliest first. */
export async function countWaitingByHour(
  db: Db,
  editionId: string,
  now: Instant,
): Promise<{ at: Instant; count: number }[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select(['nextAttemptAt as at', (eb) => eb.fn.countAll<number>().as('count')])
    .where('editionId', '=', editionId)
    .where('status', '=', 'queued')
    .where('nextAttemptAt', '>', now)
    .groupBy('nextAttemptAt')
    .orderBy('nextAttemptAt')
    .execute()
  return rows.map(({ at, count }) => ({ at: at as Instant, count: Number(count) }))
}
