import { finishCancelled, releaseContents } from '../editions/review.ts'
import { AppError } from '../errors.ts'
import type { Message } from '../mail/mime.ts'
import { freezePage, lastFrozenSubscriber } from '../store/deliveries/audience.ts'
import { brakeNow } from '../store/deliveries/brake.ts'
import { countChecked } from '../store/deliveries/counts.ts'
import { countDeliveries, type DeliveryCounts, nextDueAt, type QueuedDelivery } from '../store/deliveries/deliveries.ts'
import { countRepeatable, repeatUnknown } from '../store/deliveries/unknown.ts'
import { transaction } from '../store/drivers/transaction.ts'
import { addHistory, editionById, moveEdition, withdrawVariants } from '../store/editions/editions.ts'
import type { Engine } from '../store/engine.ts'
import type { Db, EditionRow } from '../store/schema.ts'
import type { Worker } from '../store/system/workers.ts'
import type { WaitingClock } from '../time/clock.ts'
import { brakeWords } from './brake.ts'
import { mostAttempts } from './delivery.ts'
import type { Buckets } from './limits/buckets.ts'
import { judgeCanaries } from './limits/canary.ts'
import { type Gate, openGate, type Wait } from './limits/gate.ts'
import type { Providers } from './limits/providers.ts'
import { type Rules, shapeOf } from './limits/rules.ts'
import type { Relays } from './relays/relays.ts'
import { sendDue } from './rounds.ts'

/** `personalise` fills, and signs, one copy of the sealed letter; `reuse` gets back its bytes when they are not needed any more. */
export type DeliverNeeds = {
  db: Db
  engine: Engine
  clock: WaitingClock
  relays: Relays
  worker: Worker
  /** How fast each mail provider is written to, and who takes whose mail. */
  buckets: Buckets
  providers: Providers
  /** The digest's rules about when; without them all goes at once. */
  rules: Rules | undefined
  personalise: (delivery: QueuedDelivery) => Message | Promise<Message>
  reuse?: (message: Message) => void
  /** Told that the store is away, and that the pass waits for it. */
  onStoreAway?: (reason: string) => void
  /** Told that it is back, and that the pass goes on. */
  onStoreBack?: () => void
  /** Told of an internal error that ended a connection's work. */
  onFault?: (error: unknown) => void
}

export type DeliverOptions = {
  /** The digest's rule for what was cut off inside the relay's answer. */
  unknown: 'repeat' | 'hold'
  /** When it fires, nothing new is begun; what is in flight is finished and recorded. */
  signal?: AbortSignal
  onProgress?: (counts: DeliveryCounts) => void
  /** Milliseconds that a pass waits for mail providers that are slow, when it has nothing else to do; a minute if absent. */
  patience?: number
}

export type DeliverReport = {
  counts: DeliveryCounts
  finished: boolean
  /** Why the pass ended before everything was tried, in words; null if nothing more can be done now. */
  stopped: string | null
  /** It was not the relay: somebody or a rule paused or cancelled the edition, or stopped all sending. */
  over: boolean
  /** When the next pass will have something to do, and why not before; null if it ended, stopped, or is somebody else's. */
  wait: Wait | null
}

/**
 * Sends what an approved edition still owes: freezes the audience, tries every delivery that is due, records each
 * answer, and closes the edition when nothing is left. Stop it anywhere and call it again: nobody is lost, nobody is
 * repeated but by the rule for `unknown`.
 */
export async function deliver(needs: DeliverNeeds, editionId: string, options: DeliverOptions): Promise<DeliverReport> {
  const { db, rules } = needs
  const brake = await brakeNow(db)
  if (brake) return await notNow(needs, editionId, { stopped: brakeWords(brake), over: true })
  const gate = openGate(needs, rules ?? { zone: 'UTC' })
  try {
    const shut = (await isOut(db, editionId)) ? await gate.shut() : undefined
    if (shut) return await notNow(needs, editionId, { wait: shut })
    return await deliverThrough(gate, needs, editionId, options)
  } finally {
    await gate.close()
  }
}

async function deliverThrough(
  gate: Gate,
  needs: DeliverNeeds,
  editionId: string,
  options: DeliverOptions,
): Promise<DeliverReport> {
  const { db, clock, rules } = needs
  const edition = await beginSending(needs, editionId)
  await freezeAudience(needs, edition)
  if (options.unknown === 'repeat') await repeatUnknown(db, editionId, mostAttempts, clock.now())
  if (rules?.canary) await judgeCanaries(needs, edition, rules.canary)
  const { stopped, over, wait } = await sendDue(needs, edition, options, gate)
  await settle(needs, editionId)
  const canary = rules?.canary && (await judgeCanaries(needs, edition, rules.canary))
  const counts = await countChecked(db, needs.engine, editionId)
  if (await finish(needs, editionId, counts, options.unknown))
    return { counts, finished: true, stopped: null, over: false, wait: null }
  const finished = false
  if (stopped !== null || !(await isOut(db, editionId))) return { counts, finished, stopped, over, wait: null }
  return { counts, finished, stopped, over, wait: wait ?? canary ?? (await nextInTime(needs, editionId)) }
}

async function isOut(db: Db, id: string): Promise<boolean> {
  const edition = await editionById(db, id)
  return edition?.status === 'approved' || edition?.status === 'sending'
}

/** The hour of the next zone, or of what a server put off. */
async function nextInTime({ db }: DeliverNeeds, editionId: string): Promise<Wait | null> {
  const until = await nextDueAt(db, editionId)
  return until === undefined ? null : { until, reason: 'nothing is due before' }
}

/** Nothing is begun, for the reason given. */
async function notNow({ db }: DeliverNeeds, editionId: string, why: Partial<DeliverReport>): Promise<DeliverReport> {
  const counts = await countDeliveries(db, editionId)
  return { counts, finished: false, stopped: null, over: false, wait: null, ...why }
}

async function beginSending({ db, clock }: DeliverNeeds, id: string): Promise<EditionRow> {
  if (await moveEdition(db, id, ['approved'], { status: 'sending' })) {
    await addHistory(db, id, 'lastword', 'sending began', clock.now())
  }
  const edition = await editionById(db, id)
  if (edition?.status !== 'sending') {
    throw new AppError(
      'conflict',
      `edition ${id} is ${edition?.status ?? 'unknown'}: only an approved edition can be sent`,
    )
  }
  return edition
}

async function freezeAudience(needs: DeliverNeeds, edition: EditionRow): Promise<void> {
  const { db, clock } = needs
  if (edition.audienceAt !== null) return
  const shape = await shapeOf(needs, edition)
  let after: string | null = await lastFrozenSubscriber(db, edition.id)
  while (after !== null) after = await freezePage(db, edition, { after, size: 10_000 }, clock.now(), shape)
  await moveEdition(db, edition.id, ['sending'], { audienceAt: clock.now() })
}

/** Gives back what an edition that was cancelled meanwhile did not need after all. */
async function settle(needs: DeliverNeeds, editionId: string): Promise<void> {
  const edition = await editionById(needs.db, editionId)
  if (edition?.status === 'cancelled') await finishCancelled(needs, edition)
}

async function finish(
  { db, clock }: DeliverNeeds,
  id: string,
  counts: DeliveryCounts,
  rule: DeliverOptions['unknown'],
): Promise<boolean> {
  const { accepted, refused, unknown, skipped, queued, sending, deferred } = counts
  if (queued + sending + deferred > 0) return false
  if (rule === 'repeat' && (await countRepeatable(db, id, mostAttempts)) > 0) return false
  if (accepted + refused + unknown === 0) return await endForNobody({ db, clock }, id, skipped)
  if (!(await moveEdition(db, id, ['sending'], { status: 'sent', finishedAt: clock.now() }))) return false
  const what = `sent: ${accepted} accepted, ${refused} refused, ${unknown} unknown, ${skipped} skipped`
  await addHistory(db, id, 'lastword', what, clock.now())
  return true
}

/**
 * Ends an edition that nobody got, because nobody is subscribed any more: skipped, without a number. It gives its articles,
 * letters and corrections back.
 */
async function endForNobody(
  { db, clock }: Pick<DeliverNeeds, 'db' | 'clock'>,
  id: string,
  left: number,
): Promise<boolean> {
  return await transaction(db, async (trx) => {
    const now = clock.now()
    const edition = await editionById(trx, id)
    const why =
      left > 0 ? `the last ${left} subscribers left before it was sent` : 'nobody was subscribed when it was to be sent'
    const reason = `skipped: ${why}; its articles are pending again`
    const change = { status: 'skipped' as const, number: null, reason, finishedAt: now }
    if (!edition || !(await moveEdition(trx, id, ['sending'], change))) return false
    await withdrawVariants(trx, id, now)
    await releaseContents(trx, id, now)
    await addHistory(trx, id, 'lastword', reason, now)
    return true
  })
}
