import { sql } from 'kysely'
import type { Instant } from '../../time/clock.ts'
import { type Placeholder, runPrepared } from '../drivers/prepared-statements.ts'
import { transaction } from '../drivers/transaction.ts'
import type { Engine } from '../engine.ts'
import type { Db, DeliveryRow, DeliveryStatus } from '../schema.ts'
import { CountChange, writeCounts, writeCountsPrepared, writeSharedCounts } from './counts.ts'

export { countDeliveries, type DeliveryCounts } from './counts.ts'

/** What the sender needs to know of one delivery. */
export type QueuedDelivery = {
  editionId: string
  subscriberId: string
  status: DeliveryStatus
  /** How often it has been tried already. */
  attempts: number
  /** Since when its connections have broken, each time; null: the last one did not. */
  cutSince: Instant | null
  /** By which relay it was tried last; null where there is only one, or it was never tried. */
  relay: string | null
  email: string
  name: string
}

/**
 * The next deliveries that may be tried, in the order of subscribers, after the one named. Of those that wait for a
 * canary only those of the providers in `released`.
 */
export function dueDeliveries(
  db: Db,
  editionId: string,
  page: { after: string; limit: number; now: Instant; released?: string[] },
): Promise<QueuedDelivery[]> {
  const { released = [] } = page
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
    .where('deliveries.subscriberId', '>', page.after)
    .where('deliveries.status', 'in', ['queued', 'deferred'])
    .where((eb) => eb.or([eb('deliveries.nextAttemptAt', 'is', null), eb('deliveries.nextAttemptAt', '<=', page.now)]))
    .where((eb) =>
      eb.or([
        eb('deliveries.canary', 'is', null),
        ...(released.length > 0 ? [eb('deliveries.canary', 'in', released)] : []),
      ]),
    )
    .orderBy('deliveries.subscriberId')
    .limit(page.limit)
    .execute()
}

/** Who takes which deliveries of an edition of a digest. */
export type Claim = { editionId: string; digest: string; subscriberIds: string[]; workerId: string }

/** What one sender does with deliveries of one edition at one moment. */
export type WriterBatch = { results: DeliveryResult[]; subscriberIds: string[] }

/**
 * Records how some deliveries ended and takes others to send them, as `recordDeliveries` and `claimDeliveries` do, with
 * one statement for the counters of both. To be called in a transaction.
 */
export async function recordAndClaim(
  db: Db,
  engine: Engine,
  owner: Omit<Claim, 'subscriberIds'>,
  { results, subscriberIds }: WriterBatch,
  now: Instant,
): Promise<{ lost: Set<string>; claimed: Set<string> }> {
  const change = new CountChange()
  const lost = await record(db, engine, owner, results, now, change)
  const claimed = await claim(db, engine, { ...owner, subscriberIds }, now, change)
  await writeCountsPrepared(db, engine, owner, change)
  return { lost, claimed }
}

/**
 * Claims deliveries of one edition in one statement, so that no two workers get the same: those that are due, while the
 * edition is `sending`, sending is not stopped, and the person neither left nor is suppressed. Returns those claimed; a
 * row that another process has locked is passed over. To be called in a transaction.
 */
export async function claimDeliveries(db: Db, engine: Engine, wanted: Claim, now: Instant): Promise<Set<string>> {
  const change = new CountChange()
  const claimed = await claim(db, engine, wanted, now, change)
  await writeCountsPrepared(db, engine, wanted, change)
  return claimed
}

/** Those that were queued first; where that were not all, those that were deferred: the counters need to know which. */
async function claim(
  db: Db,
  engine: Engine,
  { editionId, digest, subscriberIds, workerId }: Claim,
  now: Instant,
  change: CountChange,
): Promise<Set<string>> {
  const claimed = new Set<string>()
  for (const status of ['queued', 'deferred'] as const) {
    const wanted = claimed.size === 0 ? subscriberIds : subscriberIds.filter((id) => !claimed.has(id))
    if (wanted.length === 0) break
    const ids = padded(wanted)
    const { rows } = await runPrepared(db, engine, {
      name: `claim ${ids.length}`,
      values: { editionId, digest, workerId, now, status, ids },
      build: (value) => claimQuery(db, engine, value, ids.length),
    })
    change.move(status, 'sending', rows.length)
    for (const { subscriberId } of rows) claimed.add(subscriberId)
  }
  return claimed
}

function claimQuery(db: Db, engine: Engine, value: Placeholder, count: number) {
  const [editionId, workerId, now] = [value('editionId'), value('workerId'), value('now')]
  const ids = listPlaceholders(value, 'ids', count)
  const claim = db
    .updateTable('deliveries')
    .set((eb) => ({
      status: 'sending',
      workerId,
      attempts: eb('attempts', '+', 1),
      nextAttemptAt: null,
      updatedAt: now,
    }))
    .where('editionId', '=', editionId)
    .where('subscriberId', 'in', ids)
    .where('status', '=', value('status') as DeliveryStatus)
    .where((eb) => eb.or([eb('nextAttemptAt', 'is', null), eb('nextAttemptAt', '<=', now)]))
    .where((eb) => eb.not(eb.exists(eb.selectFrom('brakes').select('brakes.id').where('brakes.inForce', '=', 'yes'))))
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('editions')
          .select('editions.id')
          .where('editions.id', '=', editionId)
          .where('editions.status', '=', 'sending'),
      ),
    )
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('subscriptions')
          .innerJoin('subscribers', 'subscribers.id', 'subscriptions.subscriberId')
          .select('subscribers.id')
          .where('subscriptions.digest', '=', value('digest'))
          .whereRef('subscriptions.subscriberId', '=', 'deliveries.subscriberId')
          .where('subscriptions.leftAt', 'is', null)
          .where('subscribers.suppressedAt', 'is', null),
      ),
    )
    .returning('subscriberId')
  if (!engine.rowLocks) return claim
  const free = db
    .selectFrom('deliveries')
    .select('subscriberId')
    .where('editionId', '=', editionId)
    .where('subscriberId', 'in', ids)
  return claim.where('subscriberId', 'in', engine.skipLocked(free))
}

function listPlaceholders(value: Placeholder, key: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => value(key, index))
}

/** Lists of many lengths become lists of few, by naming the last again: each length is a statement of its own. */
function padded<T>(list: T[]): T[] {
  const missing = Math.ceil(list.length / 4) * 4 - list.length
  return [...list, ...Array<T>(missing).fill(list.at(-1) as T)]
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
  return (await skip(db, { editionId, subscriberId }, reason, now)) > 0
}

/** How a delivery ended, or when it is tried again. */
export type DeliveryResult = Pick<
  DeliveryRow,
  'subscriberId' | 'status' | 'attempts' | 'nextAttemptAt' | 'cutSince' | 'relay'
> & { reply: string }

/**
 * Records how deliveries of one edition ended, those that are still this worker's, and returns whose are not: somebody
 * took them over, because this worker was taken for dead. To be called in a transaction.
 */
export async function recordDeliveries(
  db: Db,
  engine: Pick<Engine, 'name'>,
  owner: { editionId: string; workerId: string },
  results: DeliveryResult[],
  now: Instant,
): Promise<Set<string>> {
  const change = new CountChange()
  const lost = await record(db, engine, owner, results, now, change)
  await writeCountsPrepared(db, engine, owner, change)
  return lost
}

async function record(
  db: Db,
  engine: Pick<Engine, 'name'>,
  { editionId, workerId }: { editionId: string; workerId: string },
  results: DeliveryResult[],
  now: Instant,
  change: CountChange,
): Promise<Set<string>> {
  const lost = new Set<string>()
  for (const group of Map.groupBy(results, sameButForReply).values()) {
    const changed = await recordGroup(db, engine, { editionId, workerId }, group, now)
    const { status } = group[0] as DeliveryResult
    change.move('sending', status, changed)
    if (changed === group.length) continue
    const ids = group.map(({ subscriberId }) => subscriberId)
    const ours = await ownedIn(db, { editionId, workerId }, ids, status)
    for (const id of ids) if (!ours.has(id)) lost.add(id)
  }
  return lost
}

/** Records what differs in nothing but the person and the reply; returns how many rows that changed. */
async function recordGroup(
  db: Db,
  engine: Pick<Engine, 'name'>,
  { editionId, workerId }: { editionId: string; workerId: string },
  group: DeliveryResult[],
  now: Instant,
): Promise<number> {
  const { status, attempts, nextAttemptAt, cutSince, relay } = group[0] as DeliveryResult
  const rows = padded(group)
  const ids = rows.map((one) => one.subscriberId)
  const replies = rows.map((one) => one.reply)
  const areSame = replies.every((reply) => reply === replies[0])
  const { changed } = await runPrepared(db, engine, {
    name: areSame ? `record ${ids.length}, one reply` : `record ${ids.length}`,
    values: { editionId, workerId, now, status, attempts, nextAttemptAt, cutSince, relay, ids, replies },
    build: (value) => recordQuery(db, value, ids.length, areSame),
  })
  return changed
}

/** Which of these stand in that state by the hand of this worker. */
async function ownedIn(
  db: Db,
  { editionId, workerId }: { editionId: string; workerId: string },
  subscriberIds: string[],
  status: DeliveryStatus,
): Promise<Set<string>> {
  const rows = await db
    .selectFrom('deliveries')
    .select('subscriberId')
    .where('editionId', '=', editionId)
    .where('subscriberId', 'in', subscriberIds)
    .where('workerId', '=', workerId)
    .where('status', '=', status)
    .execute()
  return new Set(rows.map(({ subscriberId }) => subscriberId))
}

function sameButForReply({ status, attempts, nextAttemptAt, cutSince, relay }: DeliveryResult): string {
  return `${status} ${attempts} ${nextAttemptAt} ${cutSince} ${relay}`
}

function recordQuery(db: Db, value: Placeholder, count: number, isOneReply: boolean) {
  const ids = listPlaceholders(value, 'ids', count)
  const cases = ids.map((id, index) => sql`when ${id} then ${value('replies', index)}`)
  const reply = isOneReply
    ? sql<string>`${value('replies', 0)}`
    : sql<string>`case subscriber_id ${sql.join(cases, sql` `)} end`
  return db
    .updateTable('deliveries')
    .set({
      status: value('status') as DeliveryStatus,
      attempts: sql<number>`${value('attempts')}`,
      nextAttemptAt: value('nextAttemptAt'),
      cutSince: value('cutSince'),
      relay: value('relay'),
      reply,
      updatedAt: value('now'),
    })
    .where('editionId', '=', value('editionId'))
    .where('subscriberId', 'in', ids)
    .where('workerId', '=', value('workerId'))
    .where('status', '=', 'sending')
}

/** Which of these deliveries are in the hands of this worker: claimed, and not recorded. */
export async function stillClaimed(
  db: Db,
  { editionId, workerId }: { editionId: string; workerId: string },
  subscriberIds: string[],
): Promise<Set<string>> {
  if (subscriberIds.length === 0) return new Set()
  return await ownedIn(db, { editionId, workerId }, subscriberIds, 'sending')
}

/** What a relay turned down, and how often the delivery had been tried before that. */
export type Refusal = { subscriberId: string; reply: string; attemptsBefore: number }

/**
 * Makes refusals final that this worker recorded as deferred, until the relay that refused them was believed. Returns
 * those that nobody has claimed since. To be called in a transaction.
 */
export async function confirmRefusals(
  db: Db,
  { editionId, workerId }: { editionId: string; workerId: string },
  refusals: Refusal[],
  now: Instant,
): Promise<Refusal[]> {
  const confirmed: Refusal[] = []
  for (const refusal of refusals) {
    const { subscriberId, reply, attemptsBefore } = refusal
    const row = await db
      .updateTable('deliveries')
      .set({ status: 'refused', attempts: attemptsBefore + 1, reply, nextAttemptAt: null, updatedAt: now })
      .where('editionId', '=', editionId)
      .where('subscriberId', '=', subscriberId)
      .where('status', '=', 'deferred')
      .where('workerId', '=', workerId)
      .returning('subscriberId')
      .executeTakeFirst()
    if (row) confirmed.push(refusal)
  }
  const change = new CountChange()
  change.move('deferred', 'refused', confirmed.length)
  await writeCounts(db, { editionId, workerId }, change)
  return confirmed
}

/** Queues again, for at once, what this worker recorded as turned down; nobody loses an attempt by it. */
export function requeueRefused(
  db: Db,
  { editionId, workerId }: { editionId: string; workerId: string },
  turnedDown: Refusal[],
  now: Instant,
): Promise<void> {
  return transaction(db, async (trx) => {
    const change = new CountChange()
    for (const [attempts, group] of Map.groupBy(turnedDown, ({ attemptsBefore }) => attemptsBefore)) {
      for (let start = 0; start < group.length; start += 500) {
        const ids = group.slice(start, start + 500).map(({ subscriberId }) => subscriberId)
        for (const status of ['deferred', 'refused'] as const) {
          const { numUpdatedRows } = await trx
            .updateTable('deliveries')
            .set({ status: 'queued', attempts, nextAttemptAt: null, cutSince: null, updatedAt: now })
            .where('editionId', '=', editionId)
            .where('subscriberId', 'in', ids)
            .where('status', '=', status)
            .where('workerId', '=', workerId)
            .executeTakeFirst()
          change.move(status, 'queued', Number(numUpdatedRows))
        }
      }
    }
    await writeCounts(trx, { editionId, workerId }, change)
  })
}

/** When the next delivery that waits may be tried; undefined if none waits for a time. */
export async function nextDueAt(db: Db, editionId: string): Promise<Instant | undefined> {
  const row = await db
    .selectFrom('deliveries')
    .select('nextAttemptAt')
    .where('editionId', '=', editionId)
    .where('nextAttemptAt', 'is not', null) // a partial index has these, in order
    .where('status', 'in', ['queued', 'deferred', 'unknown'])
    .orderBy('nextAttemptAt')
    .limit(1)
    .executeTakeFirst()
  return row?.nextAttemptAt ?? undefined
}

/** To whom the deliveries of an edition go that stand in one state. */
export async function addressesByStatus(db: Db, editionId: string, status: DeliveryStatus): Promise<string[]> {
  const rows = await db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriberId')
    .select('subscribers.email')
    .where('deliveries.editionId', '=', editionId)
    .where('deliveries.status', '=', status)
    .execute()
  return rows.map(({ email }) => email)
}

/** Whether everybody who gets the edition is at one of these domains. */
export async function isEveryoneAt(db: Db, editionId: string, domains: string[]): Promise<boolean> {
  let elsewhere = db
    .selectFrom('deliveries')
    .innerJoin('subscribers', 'subscribers.id', 'deliveries.subscriberId')
    .select('subscribers.id')
    .where('deliveries.editionId', '=', editionId)
  for (const domain of domains) elsewhere = elsewhere.where('subscribers.emailKey', 'not like', `%@${domain}`)
  return (await elsewhere.limit(1).executeTakeFirst()) === undefined
}

/** Whether any relay has accepted a message of the edition at that instant or later. */
export async function hasAcceptedSince(db: Db, editionId: string, since: Instant): Promise<boolean> {
  const row = await db
    .selectFrom('deliveries')
    .select('subscriberId')
    .where('editionId', '=', editionId)
    .where('status', '=', 'accepted')
    .where('updatedAt', '>=', since)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Queues what was put off again, and gives the try back: the person had no part in it. */
export async function requeueDeferred(db: Db, editionId: string, subscriberIds: string[], now: Instant): Promise<void> {
  if (subscriberIds.length === 0) return
  await transaction(db, async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('deliveries')
      .set((eb) => ({ status: 'queued', attempts: eb('attempts', '-', 1), nextAttemptAt: null, updatedAt: now }))
      .where('editionId', '=', editionId)
      .where('subscriberId', 'in', subscriberIds)
      .where('status', '=', 'deferred')
      .where('attempts', '>', 0)
      .executeTakeFirst()
    const change = new CountChange()
    change.move('deferred', 'queued', Number(numUpdatedRows))
    await writeSharedCounts(trx, editionId, change)
  })
}

/** Skips all that is not out yet. */
export async function skipUnsent(db: Db, editionId: string, reason: string, now: Instant): Promise<void> {
  await skip(db, { editionId }, reason, now)
}

/** Skips what is not out yet of an edition, or of it what goes to one person. Returns how many deliveries that were. */
function skip(
  db: Db,
  { editionId, subscriberId }: { editionId: string; subscriberId?: string },
  reason: string,
  now: Instant,
): Promise<number> {
  return transaction(db, async (trx) => {
    const change = new CountChange()
    for (const status of ['queued', 'deferred'] as const) {
      let update = trx
        .updateTable('deliveries')
        .set({ status: 'skipped', reply: reason, nextAttemptAt: null, updatedAt: now })
        .where('editionId', '=', editionId)
        .where('status', '=', status)
      if (subscriberId !== undefined) update = update.where('subscriberId', '=', subscriberId)
      change.move(status, 'skipped', Number((await update.executeTakeFirst()).numUpdatedRows))
    }
    await writeSharedCounts(trx, editionId, change)
    return change.values.skipped
  })
}
