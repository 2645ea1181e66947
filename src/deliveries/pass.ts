import type { Instant } from '../clock.ts'
import { pauseByRule } from '../editions/review.ts'
import { brakeNow } from '../store/brake.ts'
import { type DeliveryCounts, type QueuedDelivery, skipIfGone } from '../store/deliveries.ts'
import { editionById } from '../store/editions.ts'
import type { DeliveryStatus } from '../store/schema.ts'
import { brakeWords } from './brake.ts'
import type { Clerk } from './clerk.ts'
import type { DeliverNeeds } from './deliver.ts'
import type { SendResult } from './delivery.ts'
import type { Gate } from './gate.ts'
import type { Objections } from './objections.ts'

/** Once through everything that is due of one edition: what all connections have in common meanwhile. */
export type Pass = {
  editionId: string
  /** When the sending of the edition began. */
  since: Instant
  /** Why no more is begun; null while all is well. */
  stopped: string | null
  /** The edition is held or cancelled, or the brake is on: that is no trouble, and no more is begun either. */
  over: boolean
  /** Fires when no more is begun: whoever waits for a turn goes. */
  ending: AbortController
  /** Copies that were taken from the queue and are queued still: another relay may take them. */
  leftBehind: number
  objections: Objections
  /** The edition was paused for them. */
  objected: boolean
  counts: DeliveryCounts
  progress: (counts: DeliveryCounts) => void
  clerk: Clerk
  gate: Gate
}

export function isGoing({ stopped, over }: Pass): boolean {
  return stopped === null && !over
}

/** No more is begun, with a reason; the first one counts. */
export function stop(pass: Pass, reason: string): void {
  pass.stopped ??= reason
  pass.ending.abort()
}

/** No more is begun: it is not for us to go on. */
export function end(pass: Pass): void {
  pass.over = true
  pass.ending.abort()
}

export function count({ counts, progress }: Pass, { status: before }: QueuedDelivery, after: DeliveryStatus): void {
  counts[before] -= 1
  counts[after] += 1
  progress(counts)
}

/** What could not be claimed: the person is gone, another sender has it, the edition is held or cancelled, or the brake is on. */
export async function passOver({ db, clock }: DeliverNeeds, pass: Pass, delivery: QueuedDelivery): Promise<void> {
  if (await skipIfGone(db, delivery, clock.now())) return count(pass, delivery, 'skipped')
  await lookUp({ db }, pass)
}

/** Ends the pass if the edition is held or cancelled meanwhile, or the brake is on. */
export async function lookUp({ db }: Pick<DeliverNeeds, 'db'>, pass: Pass): Promise<void> {
  const edition = await editionById(db, pass.editionId)
  if (edition?.status !== 'sending') end(pass)
  const brake = await brakeNow(db)
  if (!brake) return
  stop(pass, brakeWords(brake))
  end(pass)
}

/** Listens for what there is against us in an answer; the edition is paused when it is enough. */
export function heed(
  needs: DeliverNeeds,
  pass: Pass,
  result: SendResult,
  to: QueuedDelivery,
): undefined | Promise<void> {
  return pass.objections.hear(result, to)?.then((objection) => {
    if (objection) return pauseFor(needs, pass, objection)
  })
}

/** Something is wrong with us, and not with one reader: the edition waits for an editor, who is called. */
export async function pauseFor(needs: DeliverNeeds, pass: Pass, objection: string): Promise<void> {
  if (!isGoing(pass)) return
  stop(pass, `paused: ${objection}`)
  end(pass)
  pass.objected = true
  await pauseByRule(needs, pass.editionId, objection)
}
