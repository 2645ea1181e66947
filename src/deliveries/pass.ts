import { pauseByRule } from '../editions/review/pause.ts'
import type { DeliveryCounts, QueuedDelivery } from '../store/deliveries/deliveries.ts'
import { currentSendingStop } from '../store/deliveries/sending-stop.ts'
import { skipIfGone } from '../store/deliveries/skip.ts'
import { editionById } from '../store/editions/editions.ts'
import type { Reason } from '../store/events/reason.ts'
import type { DeliveryStatus } from '../store/schema.ts'
import type { RefusalBreaker } from './judging/refusal-breaker.ts'
import type { LeasedSlices } from './leased-slices.ts'
import type { LedgerWriter } from './ledger-writer.ts'
import type { Admission } from './limits/admission.ts'
import type { PacedQueue } from './paced-queue.ts'
import type { RelayVerdicts } from './relays/relay-verdicts.ts'
import type { DeliverNeeds } from './sending-needs.ts'
import { sendingStopReason } from './sending-stop.ts'
import type { SliceSource } from './slice-source.ts'
import { untilStored } from './until-stored.ts'

/** One pass through all due deliveries of an edition: the state that its connections share. */
export type Pass = {
  editionId: string
  /** Why no further message is begun; null while the pass runs normally. */
  stopped: Reason | null
  /** The edition is held or cancelled, or all sending is stopped: no further message is begun, and this is no error. */
  over: boolean
  /** Fires when no further message is begun, and ends all waits for a turn. */
  ending: AbortController
  /** The queue that the connections draw from in this round. */
  queue: PacedQueue
  /** The verdicts on each relay, by name. */
  relays: Map<string | null, RelayInPass>
  /** Relays that are given no more messages of this edition in this pass. */
  excluded: Set<string>
  /** Standby relays, used for messages that no relay in use can carry. */
  needed: Set<string>
  /** A rule has paused the edition. */
  isPaused: boolean
  counts: DeliveryCounts
  progress: (counts: DeliveryCounts) => void
  source: SliceSource
  slices: LeasedSlices
  ledger: LedgerWriter
  admission: Admission
}

/** One relay in one pass. */
export type RelayInPass = { verdicts: RelayVerdicts; breaker: RefusalBreaker; lacksUtf8: boolean }

export function isGoing({ stopped, over }: Pass): boolean {
  return stopped === null && !over
}

/** Stops beginning messages, with a reason; the first reason counts. */
export function stop(pass: Pass, reason: Reason): void {
  pass.stopped ??= reason
  pass.ending.abort()
}

/** Stops beginning messages: this process may not continue. */
export function end(pass: Pass): void {
  pass.over = true
  pass.ending.abort()
}

export function count(pass: Pass, { status: before }: QueuedDelivery, after: DeliveryStatus): void {
  recount(pass, before, after, 1)
}

/** Moves a number of deliveries from the count `before` to the count `after`. */
export function recount({ counts, progress }: Pass, before: DeliveryStatus, after: DeliveryStatus, many: number): void {
  counts[before] -= many
  counts[after] += many
  progress(counts)
}

/**
 * Handles a failed claim: the person has unsubscribed, another sender has it, the edition is held or cancelled, or all
 * sending is stopped.
 */
export async function passOver(
  { db, engine, clock }: DeliverNeeds,
  pass: Pass,
  delivery: QueuedDelivery,
): Promise<void> {
  pass.slices.close(delivery.subscriberId)
  if (await skipIfGone(db, engine, delivery, clock.now())) return count(pass, delivery, 'skipped')
  await endIfNotSending({ db }, pass)
}

/** Ends the pass if the edition has been held or cancelled, or all sending is stopped. */
export async function endIfNotSending({ db }: Pick<DeliverNeeds, 'db'>, pass: Pass): Promise<void> {
  const edition = await editionById(db, pass.editionId)
  if (edition?.status !== 'sending') end(pass)
  const sendingStop = await currentSendingStop(db)
  if (!sendingStop) return
  stop(pass, sendingStopReason(sendingStop))
  end(pass)
}

/** Pauses the edition and notifies the editors: the problem is ours, not one reader's. */
export async function pauseFor(needs: DeliverNeeds, pass: Pass, reason: Reason): Promise<void> {
  if (!isGoing(pass)) return
  stop(pass, { code: 'paused', reason })
  end(pass)
  pass.isPaused = true
  await untilStored(needs, () => pauseByRule(needs, pass.editionId, reason))
}
