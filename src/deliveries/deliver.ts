import type { Clock, Instant } from '../clock.ts'
import { settleCancelled } from '../editions/review.ts'
import { AppError, messageOf } from '../errors.ts'
import type { Message } from '../messages/mime.ts'
import {
  claimDelivery,
  countDeliveries,
  countRepeatable,
  type DeliveryCounts,
  dueDeliveries,
  freezePage,
  frozenUntil,
  type QueuedDelivery,
  recordDelivery,
  repeatUnknown,
  skipIfGone,
} from '../store/deliveries.ts'
import { editionById, moveEdition, note } from '../store/editions.ts'
import type { Db, DeliveryStatus, EditionRow } from '../store/schema.ts'
import type { Worker } from '../store/workers.ts'
import { afterResult, mostAttempts, type SendResult } from './delivery.ts'
import type { Relay } from './relay.ts'

/** `personalise` fills one copy of the sealed letter. */
export type DeliverNeeds = {
  db: Db
  clock: Clock
  relay: Relay
  worker: Worker
  personalise: (delivery: QueuedDelivery) => Message
}

export type DeliverOptions = {
  /** The digest's rule for what was cut off inside the relay's answer. */
  unknown: 'repeat' | 'hold'
  /** When it fires, nothing new is begun; what is in flight is finished and recorded. */
  signal?: AbortSignal
  onProgress?: (counts: DeliveryCounts) => void
}

export type DeliverReport = {
  counts: DeliveryCounts
  finished: boolean
  /** Why the pass ended before everything was tried, in words; null if nothing more can be done now. */
  stopped: string | null
}

const pageSize = 500
/** So many messages in a row that the relay would not have, and it is down, or has something against us. */
const troubleLimit = 10

/**
 * Sends what an approved edition still owes: freezes the audience, tries every delivery that is due, records each
 * answer, and closes the edition when nothing is left. Stop it anywhere and call it again: nobody is lost, nobody is
 * repeated but by the rule for `unknown`.
 */
export async function deliver(needs: DeliverNeeds, editionId: string, options: DeliverOptions): Promise<DeliverReport> {
  const { db, clock } = needs
  const edition = await beginSending(needs, editionId)
  await freezeAudience(needs, edition)
  if (options.unknown === 'repeat') await repeatUnknown(db, editionId, mostAttempts, clock.now())
  const stopped = await tryAll(needs, editionId, options)
  await settle(needs, editionId)
  const counts = await countDeliveries(db, editionId)
  const finished = stopped === null && (await finish(needs, editionId, counts, options.unknown))
  return { counts, finished, stopped }
}

async function beginSending({ db, clock }: DeliverNeeds, id: string): Promise<EditionRow> {
  if (await moveEdition(db, id, ['approved'], { status: 'sending' })) {
    await note(db, id, 'lastword', 'sending began', clock.now())
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

async function freezeAudience({ db, clock }: DeliverNeeds, edition: EditionRow): Promise<void> {
  if (edition.audienceAt !== null) return
  let after: string | null = await frozenUntil(db, edition.id)
  while (after !== null) after = await freezePage(db, edition, { after, size: 10_000 }, clock.now())
  await moveEdition(db, edition.id, ['sending'], { audienceAt: clock.now() })
}

/** Goes once through all deliveries that are due, as many at a time as the relay has connections. */
async function tryAll(needs: DeliverNeeds, editionId: string, options: DeliverOptions): Promise<string | null> {
  const { db, clock, relay } = needs
  const edition = await editionById(db, editionId)
  const since = edition?.audienceAt ?? clock.now()
  const pass: Pass = { stopped: null, since, inARow: 0, lastTrouble: '', counts: await countDeliveries(db, editionId) }
  const stopAsked = () => stop(pass, 'asked to stop')
  if (options.signal?.aborted) stopAsked()
  options.signal?.addEventListener('abort', stopAsked)
  options.onProgress?.(pass.counts)
  const queue = duePages(needs, editionId)
  const senders = Array.from({ length: relay.connections }, async () => {
    for await (const delivery of queue) {
      if (pass.stopped !== null) return
      await sendOne(needs, delivery, pass)
      options.onProgress?.(pass.counts)
    }
  })
  const failed = senders.map((sender) =>
    sender.catch((error: unknown) => stop(pass, `a fault of ours: ${messageOf(error)}`)),
  )
  await Promise.all(failed) // one that fails stops the others, and none goes on behind our back
  options.signal?.removeEventListener('abort', stopAsked)
  if (pass.inARow > 0) stop(pass, pass.lastTrouble)
  return pass.stopped
}

type Pass = { stopped: string | null; since: Instant; inARow: number; lastTrouble: string; counts: DeliveryCounts }

/** One stream of deliveries that all senders draw from; a page is read when the one before it is used up. */
function duePages({ db, clock }: DeliverNeeds, editionId: string): AsyncIterable<QueuedDelivery> {
  let page: QueuedDelivery[] = []
  let after = ''
  let reading: Promise<void> = Promise.resolve()
  const readPage = async () => {
    if (page.length > 0) return
    page = await dueDeliveries(db, editionId, { after, limit: pageSize, now: clock.now() })
    after = page.at(-1)?.subscriberId ?? after
  }
  const next = async (): Promise<IteratorResult<QueuedDelivery>> => {
    if (page.length === 0) {
      reading = reading.then(readPage)
      await reading
    }
    const value = page.shift()
    return value ? { value, done: false } : { value: undefined, done: true }
  }
  return { [Symbol.asyncIterator]: () => ({ next }) }
}

/** claimed → handed over → recorded: each step is committed before the next begins. */
async function sendOne(needs: DeliverNeeds, delivery: QueuedDelivery, pass: Pass): Promise<void> {
  const { db, clock, relay, worker, personalise } = needs
  const attempts = await claimDelivery(db, delivery, worker.id, clock.now())
  if (attempts === undefined) {
    if (await skipIfGone(db, delivery, clock.now())) count(pass, delivery, 'skipped')
    return
  }
  const result = await relay.send(personalise(delivery))
  const row = afterResult(result, attempts, pass.since, clock.now())
  const ours = await recordDelivery(db, delivery, worker.id, row, clock.now())
  if (!ours) throw new AppError('internal', `somebody took this sender for dead; the relay said ${result.reply}`)
  count(pass, delivery, row.status)
  watchRelay(pass, result)
}

/** A relay that takes nothing is a reason to stop, not a reason to burn through the list. */
function watchRelay(pass: Pass, { kind, reply }: SendResult): void {
  const trouble = kind === 'unsent' || kind === 'cut' || kind === 'rejected'
  pass.inARow = trouble ? pass.inARow + 1 : 0
  if (trouble) pass.lastTrouble = `the relay takes no messages: ${reply}`
  if (pass.inARow >= troubleLimit) stop(pass, pass.lastTrouble)
}

function count({ counts }: Pass, { status: before }: QueuedDelivery, after: DeliveryStatus): void {
  counts[before] -= 1
  counts[after] += 1
}

function stop(pass: Pass, reason: string): void {
  pass.stopped ??= reason
}

/** Gives back what an edition that was cancelled meanwhile did not need after all. */
async function settle(needs: DeliverNeeds, editionId: string): Promise<void> {
  const edition = await editionById(needs.db, editionId)
  if (edition?.status === 'cancelled') await settleCancelled(needs, edition)
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
  if (!(await moveEdition(db, id, ['sending'], { status: 'sent', finishedAt: clock.now() }))) return false
  const what = `sent: ${accepted} accepted, ${refused} refused, ${unknown} unknown, ${skipped} skipped`
  await note(db, id, 'lastword', what, clock.now())
  return true
}
