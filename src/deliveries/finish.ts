import { finishCancelled, releaseContents } from '../editions/review/cancel.ts'
import { countChecked } from '../store/deliveries/counts.ts'
import { type DeliveryCounts, nextDueAt } from '../store/deliveries/deliveries.ts'
import { countRepeatable } from '../store/deliveries/unknown.ts'
import { transaction } from '../store/drivers/transaction.ts'
import { editionById, moveEdition } from '../store/editions/editions.ts'
import { withdrawVariants } from '../store/editions/variants.ts'
import { addEvent } from '../store/events/events.ts'
import type { Reason } from '../store/events/reason.ts'
import { toJson } from '../store/json.ts'
import { maxAttempts } from './delivery.ts'
import { judgeCanaries } from './limits/canary.ts'
import type { Wait } from './limits/limit.ts'
import type { DeliverNeeds, UnknownRule } from './sending-needs.ts'

/** `wait`: when to check again; null if the edition has ended or waits for no fixed time. */
export type Finish = { counts: DeliveryCounts; finished: boolean; isOut: boolean; wait: Wait | null }

type Needs = Pick<DeliverNeeds, 'db' | 'engine' | 'clock' | 'providers' | 'rules'>

/**
 * Ends the edition if its counters show nothing left; otherwise returns when to check again. Releases the contents of a
 * cancelled edition that was sent to no one; safe to repeat.
 */
export async function finishSending(needs: Needs, editionId: string, unknown: UnknownRule): Promise<Finish> {
  const { db, engine, rules } = needs
  const edition = await editionById(db, editionId)
  if (edition?.status === 'cancelled') await finishCancelled({ ...needs, store: needs }, edition)
  const canary = edition && rules?.canary && (await judgeCanaries(needs, edition, rules.canary))
  const counts = await countChecked(db, engine, editionId)
  const finished = await endIfDone(needs, editionId, counts, unknown)
  const isOut = !finished && (await isBeingSent(needs, editionId))
  return { counts, finished, isOut, wait: isOut ? (canary ?? (await nextInTime(needs, editionId))) : null }
}

/** Whether the edition is approved or being sent. */
export async function isBeingSent({ db }: Pick<Needs, 'db'>, id: string): Promise<boolean> {
  const edition = await editionById(db, id)
  return edition?.status === 'approved' || edition?.status === 'sending'
}

/** The next time at which a zone or a deferred delivery is due. */
async function nextInTime({ db }: Needs, editionId: string): Promise<Wait | null> {
  const until = await nextDueAt(db, editionId)
  return until === undefined ? null : { until, reason: { code: 'nothing-due' } }
}

async function endIfDone(
  { db, clock }: Needs,
  id: string,
  counts: DeliveryCounts,
  rule: UnknownRule,
): Promise<boolean> {
  const { accepted, refused, unknown, skipped, queued, sending, deferred } = counts
  if (queued + sending + deferred > 0) return false
  if (rule === 'repeat' && (await countRepeatable(db, id, maxAttempts)) > 0) return false
  if (accepted + refused + unknown === 0) return await endWithoutRecipients({ db, clock }, id, skipped)
  return await transaction(db, async (trx) => {
    if (!(await moveEdition(trx, id, ['sending'], { status: 'sent', finishedAt: clock.now() }))) return false
    const data = { accepted, refused, unknown, skipped }
    await addEvent(trx, { kind: 'edition.sent', actor: 'system', edition: id, data }, clock.now())
    return true
  })
}

/**
 * Skips an edition with no recipients, because no subscribers are left: it gets no number, and returns its articles,
 * letters and corrections.
 */
async function endWithoutRecipients(
  { db, clock }: Pick<Needs, 'db' | 'clock'>,
  id: string,
  left: number,
): Promise<boolean> {
  return await transaction(db, async (trx) => {
    const now = clock.now()
    const edition = await editionById(trx, id)
    const reason: Reason = { code: 'no-recipients-left', count: left }
    const change = { status: 'skipped' as const, number: null, reason: toJson(reason), finishedAt: now }
    if (!edition || !(await moveEdition(trx, id, ['sending'], change))) return false
    await withdrawVariants(trx, id, now)
    await releaseContents(trx, id, now)
    await addEvent(trx, { kind: 'edition.skipped', actor: 'system', edition: id, data: { reason } }, now)
    return true
  })
}
