import { messageOf } from '../errors.ts'
import { countDeliveries } from '../store/deliveries/deliveries.ts'
import { isStoreUnavailable } from '../store/drivers/failure.ts'
import type { EditionRow } from '../store/schema.ts'
import { minute } from '../time/clock.ts'
import { runConnection } from './connection-loop.ts'
import { settlePass } from './judging/judge-pass.ts'
import { settleRound } from './judging/judge-round.ts'
import { isFit } from './judging/unfit.ts'
import { LeasedSlices } from './leased-slices.ts'
import { LedgerWriter } from './ledger-writer.ts'
import type { Admission } from './limits/admission.ts'
import { releasedCanaries } from './limits/canary.ts'
import type { Wait } from './limits/limit.ts'
import { PacedQueue } from './paced-queue.ts'
import { endIfNotSending, isGoing, type Pass, stop } from './pass.ts'
import type { RelayConnection } from './relays/relay-connection.ts'
import type { DeliverNeeds, SendOptions } from './sending-needs.ts'
import { DueSlices } from './slice-source.ts'
import { untilStored } from './until-stored.ts'

export type PassEnd = Pick<Pass, 'stopped' | 'over'> & { wait: Wait | undefined }

/**
 * Makes one pass through all due deliveries, over as many connections as the relays accept, and waits while the store
 * is unavailable. Messages that one relay could not carry, or was not trusted about, go to another relay in a next
 * round while one is up.
 */
export async function sendDue(
  needs: DeliverNeeds,
  edition: EditionRow,
  options: SendOptions,
  admission: Admission,
): Promise<PassEnd> {
  const { relays, rates } = needs
  const pass = await beginPass(needs, edition, options, admission)
  const stopAsked = () => stop(pass, { code: 'asked-to-stop' })
  if (options.signal?.aborted) stopAsked()
  options.signal?.addEventListener('abort', stopAsked)
  let wait: Wait | undefined
  try {
    wait = await runRounds(needs, pass, options)
    await settlePass(needs, pass)
  } finally {
    options.signal?.removeEventListener('abort', stopAsked)
    await relays.endPass()
    await pass.ledger.close()
    await rates.save('always')
  }
  const blocked = relays.blockedReason()
  if (blocked?.isTrouble && isGoing(pass)) stop(pass, blocked.reason)
  return { stopped: pass.stopped, over: pass.over, wait: blocked && !blocked.isTrouble ? blocked : wait }
}

async function beginPass(
  needs: DeliverNeeds,
  { id, digest }: EditionRow,
  options: SendOptions,
  admission: Admission,
): Promise<Pass> {
  const { db, worker, relays, rates, onStoreAway, onStoreBack } = needs
  const { signal, source = new DueSlices(needs, { editionId: id, workerId: worker.id }) } = options
  const slices = new LeasedSlices(needs, { editionId: id, workerId: worker.id }, source)
  const pass: Pass = {
    editionId: id,
    stopped: null,
    over: false,
    ending: new AbortController(),
    queue: emptyQueue(needs, admission),
    relays: new Map(),
    excluded: new Set(),
    needed: new Set(),
    isPaused: false,
    counts: await countDeliveries(db, id),
    progress: options.onProgress ?? (() => {}),
    source,
    slices,
    ledger: new LedgerWriter(needs, { editionId: id, digest, workerId: worker.id }, slices, {
      signal,
      onStoreAway,
      onStoreBack,
    }),
    admission,
  }
  pass.progress(pass.counts)
  await rates.beginPass()
  relays.beginPass()
  return pass
}

/** Makes rounds until no delivery can be sent now. */
async function runRounds(needs: DeliverNeeds, pass: Pass, options: SendOptions): Promise<Wait | undefined> {
  for (;;) {
    const before = stateOf(needs, pass)
    const wait = await untilStored({ ...needs, signal: pass.ending.signal }, () => runRound(needs, pass, options))
    const isChanged = stateOf(needs, pass) !== before
    const isMore = (await settleRound(needs, pass)) || (pass.queue.left > 0 && isChanged) || isGivenMore(pass)
    if (!isMore || !isGoing(pass) || needs.relays.blockedReason(pass.excluded)) return wait
  }
}

/** Slices arrived after the queue had ended. */
function isGivenMore({ source, queue }: Pass): boolean {
  return source.hasMore && queue.wait === undefined
}

/** The state of a round: if it has not changed, the next round would be the same. */
function stateOf({ relays }: DeliverNeeds, { counts, excluded, needed }: Pass): string {
  return JSON.stringify([counts, [...excluded], [...needed], relays.inUse().map(({ name }) => name)])
}

/** Makes one pass through the queue; returns why it ended with deliveries left for later. */
async function runRound(needs: DeliverNeeds, pass: Pass, options: SendOptions): Promise<Wait | undefined> {
  await pass.slices.releaseAll() // left by an earlier round that a store error interrupted
  pass.queue = await openQueue(needs, pass, options)
  const { signal } = pass.ending
  const work = (connection: RelayConnection) =>
    runConnection(connection, needs, pass).catch((error: unknown): 'done' => {
      if (isStoreUnavailable(error)) throw error
      stop(pass, { code: 'sending-error', message: messageOf(error) }) // the other connections stop too
      needs.onFault?.(error)
      return 'done'
    })
  await needs.relays.run(work, { signal, except: pass.excluded, also: pass.needed })
  await pass.slices.releaseAll()
  return pass.queue.wait
}

/** One queue of deliveries for all connections; the next page is read when the last one is used up. */
async function openQueue(
  needs: DeliverNeeds,
  pass: Pass,
  { maxSlowWaitMs = minute }: SendOptions,
): Promise<PacedQueue> {
  const { db, clock, rates, rules } = needs
  const { editionId, admission, ending, slices } = pass
  const released = await releasedCanaries({ db, clock }, editionId, rules?.canary)
  return new PacedQueue({
    clock,
    rates,
    admission,
    signal: ending.signal,
    maxSlowWaitMs,
    isWanted: (relay) => needs.relays.named(relay)?.slots.isMissedByAnEdition ?? false,
    isFit: (delivery, relay) => isFit(needs, pass, delivery, relay),
    onPassedBy: ({ subscriberId }) => slices.passBy(subscriberId),
    async readPage(after) {
      if (after === '') slices.restart()
      const page = await slices.nextPage(released)
      await rates.resolve(page.map(({ email }) => email))
      await rates.save()
      return page
    },
    async isOver() {
      await rates.save()
      await endIfNotSending(needs, pass)
      return !isGoing(pass)
    },
  })
}

function emptyQueue({ clock, rates }: DeliverNeeds, admission: Admission): PacedQueue {
  return new PacedQueue({
    clock,
    rates,
    admission,
    maxSlowWaitMs: 0,
    readPage: async () => [],
    isOver: async () => true,
  })
}
