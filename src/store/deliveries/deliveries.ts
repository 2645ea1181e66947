import type { Instant } from '../../time/clock.ts'
import type { Db, DeliveryStatus } from '../schema.ts'
import { inFlightOf } from './counts.ts'
import { exceptionOf } from './hand-over.ts'
import { nextSliceDue, type SliceLease } from './slices.ts'

export { countDeliveries, type DeliveryCounts } from './counts.ts'

/** The data of one delivery that sending needs. */
export type QueuedDelivery = {
  editionId: string
  subscriberId: string
  status: DeliveryStatus
  /** The number of attempts so far. */
  attempts: number
  /** Since when every connection has broken; null: the last one did not. */
  cutSince: Instant | null
  /** The relay of the last attempt; null where there is only one relay, or no attempt yet. */
  relay: string | null
  email: string
  name: string
}

/**
 * The deliveries of a slice that may be tried now, in the order of subscribers. Of those that wait for a canary, only
 * the ones to providers in `released`.
 */
export function dueDeliveries(
  db: Db,
  { editionId, firstId, lastId }: Pick<SliceLease, 'editionId' | 'firstId' | 'lastId'>,
  { now, released = [] }: { now: Instant; released?: string[] },
): Promise<QueuedDelivery[]> {
  return db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriberId')
    .select([
      'deliveries.editionId',
      'deliveries.subscriberId',
      'deliveries.status',
      'deliveries.attempts',
      'deliveries.cutSince',
      'deliveries.relay',
      'subscribers.email',
      'subscribers.name',
    ])
    .where('deliveries.editionId', '=', editionId)
    .where('deliveries.subscriberId', '>=', firstId)
    .where('deliveries.subscriberId', '<=', lastId)
    .where('deliveries.status', 'in', ['queued', 'deferred'])
    .where((eb) => eb.or([eb('deliveries.nextAttemptAt', 'is', null), eb('deliveries.nextAttemptAt', '<=', now)]))
    .where((eb) =>
      eb.or([
        eb('deliveries.canary', 'is', null),
        ...(released.length > 0 ? [eb('deliveries.canary', 'in', released)] : []),
      ]),
    )
    .orderBy('deliveries.subscriberId')
    .execute()
}

/** When the next waiting delivery may be tried; undefined if none waits for a time. */
export async function nextDueAt(db: Db, editionId: string): Promise<Instant | undefined> {
  const unknown = await db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.min('nextAttemptAt').as('at'))
    .where('editionId', '=', editionId)
    .where('exception', '=', 'unknown')
    .executeTakeFirst()
  return [await nextSliceDue(db, editionId), unknown?.at ?? undefined].filter((at) => at !== undefined).sort()[0]
}

/** The addresses of an edition's deliveries with this status. */
export async function addressesByStatus(db: Db, editionId: string, status: DeliveryStatus): Promise<string[]> {
  const exception = exceptionOf(status)
  const ids = status === 'sending' ? await inFlightOf(db, editionId) : []
  let query = db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriberId')
    .select('subscribers.email')
    .where('deliveries.editionId', '=', editionId)
  if (status === 'sending') query = query.where('deliveries.subscriberId', 'in', ids)
  else if (exception) query = query.where('deliveries.exception', '=', exception)
  else query = query.where('deliveries.status', '=', status)
  if (status === 'sending' && ids.length === 0) return []
  return (await query.execute()).map(({ email }) => email)
}

/** Whether all recipients of the edition are at these domains. */
export async function isEveryoneAt(db: Db, editionId: string, domains: string[]): Promise<boolean> {
  let elsewhere = db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriberId')
    .select('subscribers.id')
    .where('deliveries.editionId', '=', editionId)
  for (const domain of domains) elsewhere = elsewhere.where('subscribers.emailKey', 'not like', `%@${domain}`)
  return (await elsewhere.limit(1).executeTakeFirst()) === undefined
}
