import type { Instant } from '../../time/clock.ts'
import type { Reason } from '../events/reason.ts'
import { newId } from '../id.ts'
import { toJson } from '../json.ts'
import type { Db, OutcomeRow } from '../schema.ts'

export type NewOutcome = Omit<OutcomeRow, 'id' | 'at' | 'detail'> & { detail: Reason }

/** Appends the outcome of a delivery. Outcomes are never edited. */
export async function addOutcome(db: Db, outcome: NewOutcome, now: Instant): Promise<void> {
  await addOutcomes(db, [outcome], now)
}

/** Appends many at once. */
export async function addOutcomes(db: Db, outcomes: NewOutcome[], now: Instant): Promise<void> {
  if (outcomes.length === 0) return
  await db
    .insertInto('outcomes')
    .values(outcomes.map((outcome) => ({ id: newId(now), at: now, ...outcome, detail: toJson(outcome.detail) })))
    .execute()
}

export function outcomesOf(db: Db, subscriberId: string): Promise<OutcomeRow[]> {
  return db.selectFrom('outcomes').selectAll().where('subscriberId', '=', subscriberId).orderBy('at').execute()
}
