import type { Instant } from '../clock.ts'
import type { Db, DeliveryRow, DeliveryStatus } from './schema.ts'
import { activeIn } from './subscribers.ts'

/** What the sender needs to know of one delivery. */
export type QueuedDelivery = {
  editionId: string
  subscriberId: string
  status: DeliveryStatus
  email: string
  name: string
}

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
 * Takes one delivery to send it, in one statement that nobody else can win too, and only if its edition is still
 * being sent and the person neither left nor is suppressed. Returns how often it has been tried with this time, or
 * nothing: it is not ours to send.
 */
export async function claimDelivery(
  db: Db,
  { editionId, subscriberId }: { editionId: string; subscriberId: string },
  workerId: string,
  now: Instant,
): Promise<number | undefined> {
  const claimed = await db
    .updateTable('deliveries')
    .set((eb) => ({
      status: 'sending',
      workerId,
      attempts: eb('attempts', '+', 1),
      nextAttemptAt: null,
      updatedAt: now,
    }))
    .where('editionId', '=', editionId)
    .where('subscriberId', '=', subscriberId)
    .where('status', 'in', ['queued', 'deferred'])
    .where((eb) => eb.or([eb('nextAttemptAt', 'is', null), eb('nextAttemptAt', '<=', now)]))
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('editions')
          .innerJoin('subscriptions', 'subscriptions.digest', 'editions.digest')
          .innerJoin('subscribers', 'subscribers.id', 'subscriptions.subscriberId')
          .select('editions.id')
          .where('editions.id', '=', editionId)
          .where('editions.status', '=', 'sending')
          .where('subscribers.id', '=', subscriberId)
          .where('subscriptions.leftAt', 'is', null)
          .where('subscribers.suppressedAt', 'is', null),
      ),
    )
    .returning('attempts')
    .executeTakeFirst()
  return claimed?.attempts
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

/** Records how a delivery ended, if it is still this worker's; false if somebody took the worker for dead meanwhile. */
export async function recordDelivery(
  db: Db,
  { editionId, subscriberId }: { editionId: string; subscriberId: string },
  workerId: string,
  result: { status: DeliveryStatus; attempts: number; reply: string; nextAttemptAt: Instant | null },
  now: Instant,
): Promise<boolean> {
  const recorded = await db
    .updateTable('deliveries')
    .set({ ...result, workerId: null, updatedAt: now })
    .where('editionId', '=', editionId)
    .where('subscriberId', '=', subscriberId)
    .where('workerId', '=', workerId)
    .returning('subscriberId')
    .executeTakeFirst()
  return recorded !== undefined
}

const cutOff = { status: 'unknown', workerId: null, reply: 'the sender stopped before the relay had answered' } as const

/** What a dead worker had in its hands may be out: unknown, until the digest's rule says what to do. */
export async function markAbandoned(db: Db, workerId: string, now: Instant): Promise<number> {
  const result = await db
    .updateTable('deliveries')
    .set({ ...cutOff, updatedAt: now })
    .where('status', '=', 'sending')
    .where('workerId', '=', workerId)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** The same for what no worker is known to have any more. */
export async function markOrphaned(db: Db, now: Instant): Promise<number> {
  const result = await db
    .updateTable('deliveries')
    .set({ ...cutOff, updatedAt: now })
    .where('status', '=', 'sending')
    .where('workerId', 'not in', (eb) => eb.selectFrom('workers').select('id'))
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/**
 * Queues the unknown deliveries of an edition again, with the same Message-ID: the rule `repeat`. One that a crash cut
 * off goes at once, one that the relay cut off when its time has come; none more often than `mostAttempts`.
 */
export async function repeatUnknown(db: Db, editionId: string, mostAttempts: number, now: Instant): Promise<number> {
  const result = await db
    .updateTable('deliveries')
    .set({ status: 'queued', nextAttemptAt: null, updatedAt: now })
    .where('editionId', '=', editionId)
    .where('status', '=', 'unknown')
    .where('attempts', '<', mostAttempts)
    .where((eb) => eb.or([eb('nextAttemptAt', 'is', null), eb('nextAttemptAt', '<=', now)]))
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** How many unknown deliveries the rule `repeat` has not done with. */
export async function countRepeatable(db: Db, editionId: string, mostAttempts: number): Promise<number> {
  const row = await db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('editionId', '=', editionId)
    .where('status', '=', 'unknown')
    .where('attempts', '<', mostAttempts)
    .executeTakeFirstOrThrow()
  return Number(row.count)
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

/** Everything that was sent to one person, newest first, with the relay's answer. */
export function deliveriesTo(
  db: Db,
  subscriberId: string,
): Promise<(DeliveryRow & { digest: string; number: number | null })[]> {
  return db
    .selectFrom('deliveries')
    .innerJoin('editions', 'editions.id', 'deliveries.editionId')
    .selectAll('deliveries')
    .select(['editions.digest', 'editions.number'])
    .where('deliveries.subscriberId', '=', subscriberId)
    .orderBy('editions.dueAt', 'desc')
    .execute()
}
