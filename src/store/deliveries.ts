import { sql } from 'kysely'
import type { Instant } from '../clock.ts'
import type { Engine } from './engine.ts'
import { prepared } from './prepared.ts'
import type { Db, DeliveryRow, DeliveryStatus } from './schema.ts'

/** What the sender needs to know of one delivery. */
export type QueuedDelivery = {
  editionId: string
  subscriberId: string
  status: DeliveryStatus
  email: string
  name: string
}

/** The next deliveries that may be tried, in the order of subscribers, after the one named. */
export function dueDeliveries(
  db: Db,
  editionId: string,
  page: { after: string; limit: number; now: Instant },
): Promise<QueuedDelivery[]> {
  return db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriberId')
    .select([
      'deliveries.editionId',
      'deliveries.subscriberId',
      'deliveries.status',
      'subscribers.email',
      'subscribers.name',
    ])
    .where('deliveries.editionId', '=', editionId)
    .where('deliveries.subscriberId', '>', page.after)
    .where((eb) =>
      eb.or([
        eb('deliveries.status', '=', 'queued'),
        eb.and([eb('deliveries.status', '=', 'deferred'), eb('deliveries.nextAttemptAt', '<=', page.now)]),
      ]),
    )
    .orderBy('deliveries.subscriberId')
    .limit(page.limit)
    .execute()
}

/**
 * Takes deliveries of one edition to send them, in one statement that nobody else can win too: those that are due, if
 * the edition is still being sent and the person neither left nor is suppressed. Returns how often each of them has
 * been tried with this time; what is missing is not ours to send. A row that another process holds is passed over.
 */
export async function claimDeliveries(
  db: Db,
  engine: Pick<Engine, 'name' | 'skipLocked'>,
  { editionId, subscriberIds, workerId }: { editionId: string; subscriberIds: string[]; workerId: string },
  now: Instant,
): Promise<Map<string, number>> {
  const values: Record<string, unknown> = { editionId, workerId, now }
  const ids = named(values, 'id', subscriberIds)
  const claimed = await prepared(db, engine, {
    name: `claim ${subscriberIds.length}`,
    values,
    build: (value) => claiming(db, engine, value, ids.map(value)),
  })
  return new Map(claimed.map(({ subscriberId, attempts }) => [subscriberId, attempts]))
}

function claiming(db: Db, engine: Pick<Engine, 'skipLocked'>, value: (name: string) => string, ids: string[]) {
  const [editionId, workerId, now] = [value('editionId'), value('workerId'), value('now')]
  const free = db
    .selectFrom('deliveries')
    .select('deliveries.subscriberId')
    .where('deliveries.editionId', '=', editionId)
    .where('deliveries.subscriberId', 'in', ids)
    .where('deliveries.status', 'in', ['queued', 'deferred'])
    .where((eb) => eb.or([eb('deliveries.nextAttemptAt', 'is', null), eb('deliveries.nextAttemptAt', '<=', now)]))
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('editions')
          .innerJoin('subscriptions', 'subscriptions.digest', 'editions.digest')
          .innerJoin('subscribers', 'subscribers.id', 'subscriptions.subscriberId')
          .select('editions.id')
          .where('editions.id', '=', editionId)
          .where('editions.status', '=', 'sending')
          .whereRef('subscriptions.subscriberId', '=', 'deliveries.subscriberId')
          .where('subscriptions.leftAt', 'is', null)
          .where('subscribers.suppressedAt', 'is', null),
      ),
    )
  return db
    .updateTable('deliveries')
    .set((eb) => ({
      status: 'sending',
      workerId,
      attempts: eb('attempts', '+', 1),
      nextAttemptAt: null,
      updatedAt: now,
    }))
    .where('editionId', '=', editionId)
    .where('subscriberId', 'in', engine.skipLocked(free))
    .returning(['subscriberId', 'attempts'])
}

/** Puts a list among the values of a statement, and returns the names. */
function named(values: Record<string, unknown>, prefix: string, list: unknown[]): string[] {
  return list.map((one, index) => {
    values[prefix + index] = one
    return prefix + index
  })
}

/** Skips a delivery whose person left or was suppressed after the audience was frozen, with the reason; false if neither. */
export async function skipIfGone(
  db: Db,
  { editionId, subscriberId }: { editionId: string; subscriberId: string },
  now: Instant,
): Promise<boolean> {
  const person = await db
    .selectFrom('editions')
    .innerJoin('subscriptions', 'subscriptions.digest', 'editions.digest')
    .innerJoin('subscribers', 'subscribers.id', 'subscriptions.subscriberId')
    .select(['subscriptions.leftAt', 'subscribers.suppressedAt', 'subscribers.suppressedReason'])
    .where('editions.id', '=', editionId)
    .where('subscribers.id', '=', subscriberId)
    .executeTakeFirst()
  const reason = person?.leftAt
    ? `left on ${person.leftAt}`
    : person?.suppressedAt
      ? `suppressed on ${person.suppressedAt}: ${person.suppressedReason ?? ''}`
      : undefined
  if (reason === undefined) return false
  const skipped = await db
    .updateTable('deliveries')
    .set({ status: 'skipped', reply: reason, nextAttemptAt: null, updatedAt: now })
    .where('editionId', '=', editionId)
    .where('subscriberId', '=', subscriberId)
    .where('status', 'in', ['queued', 'deferred'])
    .returning('subscriberId')
    .executeTakeFirst()
  return skipped !== undefined
}

/** How a delivery ended, or when it is tried again. */
export type DeliveryResult = Pick<DeliveryRow, 'subscriberId' | 'status' | 'attempts' | 'nextAttemptAt'> & {
  reply: string
}

/**
 * Records how deliveries of one edition ended, those that are still this worker's, and returns whose they were: what is
 * missing somebody took over, because this worker was taken for dead.
 */
export async function recordDeliveries(
  db: Db,
  engine: Pick<Engine, 'name'>,
  { editionId, workerId }: { editionId: string; workerId: string },
  results: DeliveryResult[],
  now: Instant,
): Promise<Set<string>> {
  const recorded = new Set<string>()
  for (const group of Map.groupBy(results, sameButForReply).values()) {
    const [first] = group as [DeliveryResult]
    const { status, attempts, nextAttemptAt } = first
    const values: Record<string, unknown> = { editionId, workerId, now, status, attempts, nextAttemptAt }
    const ids = named(
      values,
      'id',
      group.map((one) => one.subscriberId),
    )
    const replies = named(
      values,
      'reply',
      group.map((one) => one.reply),
    )
    const rows = await prepared(db, engine, {
      name: `record ${group.length}`,
      values,
      build: (value) => recording(db, value, ids.map(value), replies.map(value)),
    })
    for (const { subscriberId } of rows) recorded.add(subscriberId)
  }
  return recorded
}

function sameButForReply({ status, attempts, nextAttemptAt }: DeliveryResult): string {
  return `${status} ${attempts} ${nextAttemptAt}`
}

function recording(db: Db, value: (name: string) => string, ids: string[], replies: string[]) {
  const cases = ids.map((id, index) => sql`when ${id} then ${replies[index]}`)
  return db
    .updateTable('deliveries')
    .set({
      status: value('status') as DeliveryStatus,
      attempts: sql<number>`${value('attempts')}`,
      nextAttemptAt: value('nextAttemptAt'),
      reply: sql<string>`case subscriber_id ${sql.join(cases, sql` `)} end`,
      workerId: null,
      updatedAt: value('now'),
    })
    .where('editionId', '=', value('editionId'))
    .where('subscriberId', 'in', ids)
    .where('workerId', '=', value('workerId'))
    .returning('subscriberId')
}

/** To whom the deliveries of an edition go that stand in one state. */
export async function addressesIn(db: Db, editionId: string, status: DeliveryStatus): Promise<string[]> {
  const rows = await db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriberId')
    .select('subscribers.email')
    .where('deliveries.editionId', '=', editionId)
    .where('deliveries.status', '=', status)
    .execute()
  return rows.map(({ email }) => email)
}

/** Skips all that is not out yet. */
export async function skipRest(db: Db, editionId: string, reason: string, now: Instant): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({ status: 'skipped', reply: reason, nextAttemptAt: null, updatedAt: now })
    .where('editionId', '=', editionId)
    .where('status', 'in', ['queued', 'deferred'])
    .execute()
}

export type DeliveryCounts = Record<DeliveryStatus, number>

/** How many deliveries of the edition stand in each state. */
export async function countDeliveries(db: Db, editionId: string): Promise<DeliveryCounts> {
  const rows = await db
    .selectFrom('deliveries')
    .select(['status', (eb) => eb.fn.countAll<number>().as('count')])
    .where('editionId', '=', editionId)
    .groupBy('status')
    .execute()
  const counts: DeliveryCounts = { queued: 0, sending: 0, accepted: 0, deferred: 0, refused: 0, unknown: 0, skipped: 0 }
  for (const { status, count } of rows) counts[status] = Number(count)
  return counts
}
