import { minute } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { countDeliveries, dueDeliveries, isAllAt, requeue } from '../store/deliveries.ts'
import type { EditionRow } from '../store/schema.ts'
import { releasedCanaries } from './canary.ts'
import { openClerk } from './clerk.ts'
import type { DeliverNeeds, DeliverOptions } from './deliver.ts'
import type { Gate, Wait } from './gate.ts'
import { openObjections } from './objections.ts'
import { pacedQueue, type Queue } from './paced-queue.ts'
import { isGoing, lookUp, type Pass, pauseFor, stop } from './pass.ts'
import { sendOver } from './send-over.ts'

export type PassEnd = Pick<Pass, 'stopped' | 'over'> & { wait: Wait | undefined }

const pageSize = 500

/**
 * Goes once through all deliveries that are due, as many at a time as the relays have connections. What a relay could
 * not be given is given to another in a next round, as long as one is up.
 */
export async function sendDue(
  needs: DeliverNeeds,
  edition: EditionRow,
  options: DeliverOptions,
  gate: Gate,
): Promise<PassEnd> {
  const { db, clock, relays, buckets } = needs
  const pass = await beginPass(needs, edition, options, gate)
  const stopAsked = () => stop(pass, 'asked to stop')
  if (options.signal?.aborted) stopAsked()
  options.signal?.addEventListener('abort', stopAsked)
  let wait: Wait | undefined
  try {
    do {
      pass.leftBehind = 0
      wait = await runRound(needs, pass, options)
    } while (pass.leftBehind > 0 && isGoing(pass) && !relays.shut())
  } finally {
    options.signal?.removeEventListener('abort', stopAsked)
    await relays.endPass()
    await buckets.save('always')
  }
  const shut = relays.shut()
  if (shut?.isTrouble) stop(pass, shut.reason)
  const onlyObjections = pass.counts.accepted === 0 ? pass.objections.nothingElse() : undefined
  if (onlyObjections) await pauseFor(needs, pass, onlyObjections)
  if (pass.objected) await requeue(db, edition.id, pass.objections.blameless(), clock.now())
  return { stopped: pass.stopped, over: pass.over, wait: shut && !shut.isTrouble && pass.leftBehind > 0 ? shut : wait }
}

async function beginPass(
  needs: DeliverNeeds,
  { id, digest, audienceAt }: EditionRow,
  options: DeliverOptions,
  gate: Gate,
): Promise<Pass> {
  const { db, clock, worker, relays, buckets } = needs
  const pass: Pass = {
    editionId: id,
    since: audienceAt ?? clock.now(),
    stopped: null,
    over: false,
    ending: new AbortController(),
    leftBehind: 0,
    objections: openObjections((domains) => isAllAt(db, id, domains)),
    objected: false,
    counts: await countDeliveries(db, id),
    progress: options.onProgress ?? (() => {}),
    clerk: openClerk(needs, { editionId: id, digest, workerId: worker.id }),
    gate,
  }
  pass.progress(pass.counts)
  await buckets.beginPass()
  relays.beginPass()
  return pass
}

/** Once through the queue; returns why it ended with something left that could go later. */
async function runRound(needs: DeliverNeeds, pass: Pass, options: DeliverOptions): Promise<Wait | undefined> {
  const queue = await openQueue(needs, pass, options)
  const lines = needs.relays.lines(pass.ending.signal)
  if (lines.length === 0) pass.leftBehind += 1
  const work = lines.map((line) =>
    sendOver(line, queue, needs, pass).catch((error: unknown) => stop(pass, `a fault of ours: ${messageOf(error)}`)),
  )
  await Promise.all(work) // one that fails stops the others, and none goes on behind our back
  return queue.wait
}

/** One stream of deliveries that all connections draw from; a page is read when the one before it is used up. */
async function openQueue(needs: DeliverNeeds, pass: Pass, { patience = minute }: DeliverOptions): Promise<Queue> {
  const { db, clock, buckets, rules } = needs
  const { editionId, gate, ending } = pass
  const released = await releasedCanaries({ db, clock }, editionId, rules?.canary)
  return pacedQueue({
    clock,
    buckets,
    gate,
    signal: ending.signal,
    patience,
    async readPage(after) {
      const page = await dueDeliveries(db, editionId, { after, limit: pageSize, now: clock.now(), released })
      await buckets.meet(page.map(({ email }) => email))
      await buckets.save()
      return page
    },
    async isOver() {
      await buckets.save()
      await lookUp(needs, pass)
      return !isGoing(pass)
    },
  })
}
