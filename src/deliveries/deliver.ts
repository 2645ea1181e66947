import { type Instant, minute, type WaitingClock } from '../clock.ts'
import { pauseByRule, settleCancelled } from '../editions/review.ts'
import { AppError, messageOf } from '../errors.ts'
import type { Message } from '../messages/mime.ts'
import { freezePage, frozenUntil } from '../store/audience.ts'
import { brakeNow } from '../store/brake.ts'
import {
  countDeliveries,
  type DeliveryCounts,
  type DeliveryResult,
  dueDeliveries,
  isAllAt,
  nextDue,
  type QueuedDelivery,
  requeue,
  skipIfGone,
} from '../store/deliveries.ts'
import { editionById, moveEdition, note } from '../store/editions.ts'
import type { Engine } from '../store/engine.ts'
import type { Db, DeliveryStatus, EditionRow } from '../store/schema.ts'
import { countRepeatable, repeatUnknown } from '../store/unknown.ts'
import type { Worker } from '../store/workers.ts'
import { brakeWords } from './brake.ts'
import type { Buckets } from './buckets.ts'
import { judgeCanaries, releasedCanaries } from './canary.ts'
import { type Clerk, openClerk } from './clerk.ts'
import { afterResult, mostAttempts, type SendResult } from './delivery.ts'
import { type Gate, openGate, type Wait } from './gate.ts'
import { lookAhead } from './look-ahead.ts'
import { type Objections, openObjections } from './objections.ts'
import { pacedQueue, type Queue } from './paced-queue.ts'
import type { Providers } from './providers.ts'
import type { Relay } from './relay.ts'
import { type Rules, shapeOf } from './rules.ts'

/** `personalise` fills, and signs, one copy of the sealed letter; `reuse` gets back its bytes when they are not needed any more. */
export type DeliverNeeds = {
  db: Db
  engine: Engine
  clock: WaitingClock
  relay: Relay
  worker: Worker
  /** How fast each mail provider is written to, and who takes whose mail. */
  buckets: Buckets
  providers: Providers
  /** The digest's rules about when; without them all goes at once. */
  rules: Rules | undefined
  personalise: (delivery: QueuedDelivery) => Message | Promise<Message>
  reuse?: (message: Message) => void
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
  /** It was not the relay: somebody or a rule paused or cancelled the edition, or the brake is on. */
  over: boolean
  /** When the next pass will have something to do, and why not before; null if it ended, stopped, or is somebody else's. */
  wait: Wait | null
}

const pageSize = 100
/** So many messages in a row that did not reach the relay, and it is down. */
const troubleLimit = 10

/**
 * Sends what an approved edition still owes: freezes the audience, tries every delivery that is due, records each
 * answer, and closes the edition when nothing is left. Stop it anywhere and call it again: nobody is lost, nobody is
 * repeated but by the rule for `unknown`.
 */
export async function deliver(needs: DeliverNeeds, editionId: string, options: DeliverOptions): Promise<DeliverReport> {
  const { db, clock, rules } = needs
  const brake = await brakeNow(db)
  if (brake) return { ...unfinished, counts: await countDeliveries(db, editionId), stopped: brakeWords(brake) }
  const gate = openGate(needs, rules ?? { zone: 'UTC' })
  const shut = (await isOut(db, editionId)) ? await gate.shut() : undefined
  if (shut)
    return { ...unfinished, over: false, counts: await countDeliveries(db, editionId), stopped: null, wait: shut }
  const edition = await beginSending(needs, editionId)
  await freezeAudience(needs, edition)
  if (options.unknown === 'repeat') await repeatUnknown(db, editionId, mostAttempts, clock.now())
  const { stopped, over, wait } = await tryAll(needs, editionId, options, gate)
  await settle(needs, editionId)
  const isThrough = stopped === null && wait === undefined
  const canary = rules?.canary && (await judgeCanaries(needs, edition, rules.canary, isThrough))
  const counts = await countDeliveries(db, editionId)
  const finished = stopped === null && (await finish(needs, editionId, counts, options.unknown))
  if (finished || stopped !== null || !(await isOut(db, editionId)))
    return { counts, finished, stopped, over, wait: null }
  return { counts, finished, stopped, over, wait: wait ?? canary ?? (await nextInTime(needs, editionId)) }
}

async function isOut(db: Db, id: string): Promise<boolean> {
  const edition = await editionById(db, id)
  return edition?.status === 'approved' || edition?.status === 'sending'
}

/** The hour of the next zone, or of what a server put off. */
async function nextInTime({ db }: DeliverNeeds, editionId: string): Promise<Wait | null> {
  const until = await nextDue(db, editionId)
  return until === undefined ? null : { until, reason: 'nothing is due before' }
}

const unfinished = { finished: false, over: true, wait: null }

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

async function freezeAudience(needs: DeliverNeeds, edition: EditionRow): Promise<void> {
  const { db, clock } = needs
  if (edition.audienceAt !== null) return
  const shape = await shapeOf(needs, edition)
  let after: string | null = await frozenUntil(db, edition.id)
  while (after !== null) after = await freezePage(db, edition, { after, size: 10_000 }, clock.now(), shape)
  await moveEdition(db, edition.id, ['sending'], { audienceAt: clock.now() })
}

/** Goes once through all deliveries that are due, as many at a time as the relay has connections. */
async function tryAll(
  needs: DeliverNeeds,
  editionId: string,
  options: DeliverOptions,
  gate: Gate,
): Promise<{ stopped: string | null; over: boolean; wait: Wait | undefined }> {
  const { db, clock, relay, worker } = needs
  const edition = await editionById(db, editionId)
  const pass: Pass = {
    stopped: null,
    over: false,
    since: edition?.audienceAt ?? clock.now(),
    inARow: 0,
    lastTrouble: '',
    objections: openObjections((domains) => isAllAt(db, editionId, domains)),
    objected: false,
    slow: undefined,
    counts: await countDeliveries(db, editionId),
    progress: options.onProgress ?? (() => {}),
    clerk: openClerk(needs, { editionId, workerId: worker.id }),
    gate,
  }
  const stopAsked = () => stop(pass, 'asked to stop')
  if (options.signal?.aborted) stopAsked()
  options.signal?.addEventListener('abort', stopAsked)
  pass.progress(pass.counts)
  needs.buckets.beginPass()
  const queue = await openQueue(needs, editionId, options, pass)
  const senders = Array.from({ length: relay.connections }, () => sendFrom(queue, needs, pass))
  const failed = senders.map((sender) =>
    sender.catch((error: unknown) => stop(pass, `a fault of ours: ${messageOf(error)}`)),
  )
  await Promise.all(failed) // one that fails stops the others, and none goes on behind our back
  options.signal?.removeEventListener('abort', stopAsked)
  await gate.close()
  await needs.buckets.save('always')
  if (pass.inARow > 0 && pass.slow === undefined) stop(pass, pass.lastTrouble)
  const onlyObjections = pass.counts.accepted === 0 ? pass.objections.nothingElse() : undefined
  if (onlyObjections && pass.stopped === null && !pass.over) await pauseFor(needs, editionId, onlyObjections, pass)
  if (pass.objected) await requeue(db, editionId, pass.objections.blameless(), clock.now())
  return { stopped: pass.stopped, over: pass.over, wait: queue.wait }
}

type Pass = {
  /** Why no more is begun; null while all is well. */
  stopped: string | null
  /** The edition is held or cancelled, or the brake is on: that is no trouble, and no more is begun either. */
  over: boolean
  since: Instant
  inARow: number
  lastTrouble: string
  objections: Objections
  /** The edition was paused for it. */
  objected: boolean
  /** The mail provider that complained last of our pace, if that was the last trouble. */
  slow: string | undefined
  counts: DeliveryCounts
  progress: (counts: DeliveryCounts) => void
  clerk: Clerk
  gate: Gate
}

/** One stream of deliveries that all senders draw from; a page is read when the one before it is used up. */
async function openQueue(
  { db, clock, buckets, rules }: DeliverNeeds,
  editionId: string,
  { signal, patience = minute }: DeliverOptions,
  pass: Pass,
): Promise<Queue> {
  const released = await releasedCanaries({ db, clock }, editionId, rules?.canary)
  return pacedQueue({
    clock,
    buckets,
    gate: pass.gate,
    signal,
    patience,
    async readPage(after) {
      const page = await dueDeliveries(db, editionId, { after, limit: pageSize, now: clock.now(), released })
      await buckets.meet(page.map(({ email }) => email))
      await buckets.save()
      return page
    },
    async isOver() {
      await buckets.save()
      if ((await editionById(db, editionId))?.status !== 'sending') pass.over = true
      return pass.stopped !== null || pass.over
    },
  })
}

/**
 * One connection's work: claimed → handed over → recorded, over and over. How one delivery ended and the claim of the
 * next are committed together. Two copies are made ready ahead of their claims, so that the relay may hear the next
 * envelope while it still reads a message.
 */
async function sendFrom(queue: Queue, needs: DeliverNeeds, pass: Pass): Promise<void> {
  const line = needs.relay.line()
  const ahead = lookAhead(() => makeReady(queue, needs), 2)
  let ended: DeliveryResult | undefined
  try {
    for (;;) {
      const isReady = ahead.next !== undefined
      const taking = ahead.take()
      if (ended && !isReady && (await queue.waitsBefore(taking))) {
        await pass.clerk.turn(ended, undefined) // it must not wait in our hands for another one's token
        ended = undefined
      }
      const copy = await taking
      if (!copy || pass.stopped !== null || pass.over) break
      const turn = pass.clerk.turn(ended, copy.delivery.subscriberId)
      ended = undefined
      if (!(await turn)) await passOver(needs, copy.delivery, pass)
      else {
        const ticket = needs.buckets.begin(copy.delivery.email)
        const sending = line.send(copy.message, ahead.next?.message)
        ahead.fill()
        const result = await sending
        const now = needs.clock.now()
        const row = afterResult(result, copy.delivery.attempts + 1, pass.since, now)
        ended = { subscriberId: copy.delivery.subscriberId, ...row }
        count(pass, copy.delivery, row.status)
        pass.gate.settle(row.status === 'accepted' || row.status === 'unknown')
        watchRelay(pass, result, needs.buckets.heard(ticket, result, now))
        const objection = pass.objections.hear(result, copy.delivery)
        if (objection) await heed(needs, copy.delivery.editionId, await objection, pass)
      }
      needs.reuse?.(copy.message)
    }
  } finally {
    line.release()
    if (ended) await pass.clerk.turn(ended, undefined)
  }
}

type Ready = { delivery: QueuedDelivery; message: Message }

function makeReady(queue: Queue, { personalise }: DeliverNeeds): Ready | undefined | Promise<Ready | undefined> {
  const delivery = queue.next()
  if (delivery instanceof Promise) return delivery.then((one) => (one ? filled(one, personalise(one)) : undefined))
  return delivery && filled(delivery, personalise(delivery))
}

function filled(delivery: QueuedDelivery, message: Message | Promise<Message>): Ready | Promise<Ready> {
  return message instanceof Promise ? message.then((made) => ({ delivery, message: made })) : { delivery, message }
}

/** What could not be claimed: the person is gone, another sender has it, the edition is held or cancelled, or the brake is on. */
async function passOver({ db, clock }: DeliverNeeds, delivery: QueuedDelivery, pass: Pass): Promise<void> {
  pass.gate.settle(false)
  if (await skipIfGone(db, delivery, clock.now())) return count(pass, delivery, 'skipped')
  const edition = await editionById(db, delivery.editionId)
  if (edition?.status !== 'sending') pass.over = true
  const brake = await brakeNow(db)
  if (!brake) return
  stop(pass, brakeWords(brake))
  pass.over = true
}

async function heed(needs: DeliverNeeds, editionId: string, objection: string | undefined, pass: Pass) {
  if (objection && pass.stopped === null && !pass.over) await pauseFor(needs, editionId, objection, pass)
}

/** Something is wrong with us, and not with one reader: the edition waits for an editor, who is called. */
async function pauseFor(needs: DeliverNeeds, editionId: string, objection: string, pass: Pass): Promise<void> {
  pass.over = true
  stop(pass, `paused: ${objection}`)
  pass.objected = true
  await pauseByRule(needs, editionId, objection)
}

/**
 * A relay that takes nothing is a reason to stop, not a reason to burn through the list. One provider that complains of
 * our pace, `slow`, is not the relay: it counts once, however often it does.
 */
function watchRelay(pass: Pass, { kind, reply }: SendResult, slow: string | undefined): void {
  const trouble = kind === 'unsent' || kind === 'cut'
  if (trouble && slow !== undefined && slow === pass.slow) return
  pass.slow = trouble ? slow : undefined
  pass.inARow = trouble ? pass.inARow + 1 : 0
  if (trouble) pass.lastTrouble = `the relay takes no messages: ${reply}`
  if (pass.inARow >= troubleLimit) stop(pass, pass.lastTrouble)
}

function count({ counts, progress }: Pass, { status: before }: QueuedDelivery, after: DeliveryStatus): void {
  counts[before] -= 1
  counts[after] += 1
  progress(counts)
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
