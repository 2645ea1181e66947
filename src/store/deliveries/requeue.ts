import type { Instant } from '../../time/clock.ts'
import { transaction } from '../drivers/transaction.ts'
import type { Engine } from '../engine.ts'
import type { Db } from '../schema.ts'
import { CountChange, writeCounts } from './counts.ts'
import { lockInFlight, markDue } from './slices.ts'

/** A relay's refusal, and the number of attempts before it. */
export type Refusal = { subscriberId: string; reply: string; attemptsBefore: number }

type Ledger = { editionId: string; workerId: string }

/**
 * Makes refusals final that this worker recorded as deferred while the relay was in doubt. Returns those without a later
 * attempt; call it in a transaction.
 */
export async function confirmRefusals(
  db: Db,
  engine: Engine,
  { editionId, workerId }: Ledger,
  refusals: Refusal[],
  now: Instant,
): Promise<Refusal[]> {
  const inFlight = await lockInFlight(db, engine, editionId, idsOf(refusals))
  const confirmed: Refusal[] = []
  for (const refusal of refusals) {
    const { subscriberId, reply, attemptsBefore } = refusal
    if (inFlight.has(subscriberId)) continue
    const attempts = attemptsBefore + 1
    const row = await db
      .updateTable('deliveries')
      .set({
        status: 'refused',
        exception: 'refused',
        attempts,
        reply,
        reason: null,
        nextAttemptAt: null,
        updatedAt: now,
      })
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
  await writeCounts(db, editionId, change)
  return confirmed
}

const idsOf = (refusals: Refusal[]) => refusals.map(({ subscriberId }) => subscriberId)

const maxIdsAtOnce = 500

/** Queues again, for now, what this worker recorded as refused; the attempts do not count. */
export function requeueRefused(
  db: Db,
  engine: Engine,
  { editionId, workerId }: Ledger,
  turnedDown: Refusal[],
  now: Instant,
): Promise<void> {
  return transaction(db, async (trx) => {
    const inFlight = await lockInFlight(trx, engine, editionId, idsOf(turnedDown))
    const free = turnedDown.filter(({ subscriberId }) => !inFlight.has(subscriberId))
    const change = new CountChange()
    for (const [attempts, group] of Map.groupBy(free, ({ attemptsBefore }) => attemptsBefore)) {
      for (let start = 0; start < group.length; start += maxIdsAtOnce) {
        const ids = idsOf(group.slice(start, start + maxIdsAtOnce))
        for (const status of ['deferred', 'refused'] as const) {
          const { numUpdatedRows } = await trx
            .updateTable('deliveries')
            .set({ status: 'queued', exception: null, attempts, nextAttemptAt: null, cutSince: null, updatedAt: now })
            .where('editionId', '=', editionId)
            .where('subscriberId', 'in', ids)
            .where('status', '=', status)
            .where('workerId', '=', workerId)
            .executeTakeFirst()
          change.move(status, 'queued', Number(numUpdatedRows))
        }
      }
    }
    await markDue(trx, editionId, idsOf(free))
    await writeCounts(trx, editionId, change)
  })
}

/** Queues deferred deliveries again without counting the attempt: the recipient did not cause the failure. */
export async function requeueDeferred(
  db: Db,
  engine: Engine,
  editionId: string,
  subscriberIds: string[],
  now: Instant,
): Promise<void> {
  if (subscriberIds.length === 0) return
  await transaction(db, async (trx) => {
    const inFlight = await lockInFlight(trx, engine, editionId, subscriberIds)
    const ids = subscriberIds.filter((id) => !inFlight.has(id))
    if (ids.length === 0) return
    const { numUpdatedRows } = await trx
      .updateTable('deliveries')
      .set((eb) => ({
        status: 'queued',
        exception: null,
        attempts: eb('attempts', '-', 1),
        nextAttemptAt: null,
        updatedAt: now,
      }))
      .where('editionId', '=', editionId)
      .where('subscriberId', 'in', ids)
      .where('status', '=', 'deferred')
      .where('attempts', '>', 0)
      .executeTakeFirst()
    await markDue(trx, editionId, ids)
    const change = new CountChange()
    change.move('deferred', 'queued', Number(numUpdatedRows))
    await writeCounts(trx, editionId, change)
  })
}
