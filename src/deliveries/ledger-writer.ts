import { AppError } from '../errors.ts'
import {
  type Committed,
  committedBefore,
  type DeliveryResult,
  recordAndClaim,
  type WriterBatch,
} from '../store/deliveries/hand-over.ts'
import { confirmRefusals, type Refusal, requeueRefused } from '../store/deliveries/requeue.ts'
import { isStoreUnavailable } from '../store/drivers/failure.ts'
import { transaction } from '../store/drivers/transaction.ts'
import type { Engine } from '../store/engine.ts'
import type { Db, DeliveryStatus } from '../store/schema.ts'
import type { WaitingClock } from '../time/clock.ts'
import { handleRefusals } from './judging/refusals.ts'
import type { LeasedSlice, LeasedSlices } from './leased-slices.ts'
import { type StoreWait, untilStored } from './until-stored.ts'

type Needs = { db: Db; engine: Engine; clock: WaitingClock }

/** The edition and worker whose deliveries are written. */
type Ledger = { editionId: string; digest: string; workerId: string }

type Claimable = { subscriberId: string; status: DeliveryStatus }

type Request = {
  result: DeliveryResult | undefined
  next: Claimable | undefined
  resolve(isOurs: boolean): void
  reject(error: unknown): void
}

/** The requests of one slice, and what they write. */
type Group = { slice: LeasedSlice; batch: WriterBatch }

/**
 * Writes the ledger of one edition for all connections, in group commits: each claim is committed before its message is
 * handed over, and at most one delivery per connection is in flight if the process is killed. A relay's reply is never
 * dropped: while the store is unavailable the group is retried with backoff, and the connections that wait for it send
 * nothing.
 */
export class LedgerWriter {
  readonly #needs: Needs
  readonly #ledger: Ledger
  readonly #slices: LeasedSlices
  readonly #options: Omit<StoreWait, 'clock'>
  #requests: Request[] = []
  #isWriting = false

  constructor(needs: Needs, ledger: Ledger, slices: LeasedSlices, options: Omit<StoreWait, 'clock'> = {}) {
    this.#needs = needs
    this.#ledger = ledger
    this.#slices = slices
    this.#options = options
  }

  /**
   * Records one result and claims the next delivery; either may be undefined. Resolves after the commit to whether the
   * claim succeeded; throws AppError if another worker took over the recorded delivery.
   */
  recordAndClaim(result: DeliveryResult | undefined, next: Claimable | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#requests.push({ result, next, resolve, reject })
      this.#schedule()
    })
  }

  /** Makes deferred refusals final once the relay is trusted; `suppress` also suppresses addresses. */
  async confirm(refusals: Refusal[], { suppress }: { suppress: boolean }): Promise<void> {
    const { db, engine, clock } = this.#needs
    if (refusals.length === 0) return
    await this.#untilStored(() =>
      transaction(db, async (trx) => {
        const now = clock.now()
        const final = await confirmRefusals(trx, engine, this.#ledger, refusals, now)
        if (suppress) await handleRefusals(trx, this.#ledger.editionId, final, now)
      }),
    )
  }

  /** Queues again what one relay turned down and another may take; the attempts do not count. */
  async putBack(turnedDown: Refusal[]): Promise<void> {
    const { db, engine, clock } = this.#needs
    if (turnedDown.length === 0) return
    await this.#untilStored(() => requeueRefused(db, engine, this.#ledger, turnedDown, clock.now()))
  }

  /**
   * Nothing is in flight: releases all slices. Deliveries still `in flight` could not be recorded and become `unknown`.
   */
  close(): Promise<number> {
    return this.#untilStored(() => this.#slices.releaseAll())
  }

  #schedule(): void {
    if (this.#isWriting) return
    this.#isWriting = true
    setImmediate(() => setImmediate(() => void this.#writeAll()))
  }

  async #writeAll(): Promise<void> {
    const requests = this.#requests
    this.#requests = []
    try {
      await this.#write(requests)
    } catch (error) {
      if (isStoreUnavailable(error)) for (const { reject } of requests) reject(error)
      else for (const request of requests) await this.#writeAlone(request) // a bad row must not block the others
    }
    this.#isWriting = false
    if (this.#requests.length > 0) this.#schedule()
  }

  /** Stores a result without its text if the text cannot be stored. */
  async #writeAlone(request: Request): Promise<void> {
    const { result } = request
    try {
      await this.#write([request])
    } catch (error) {
      if (!result) return request.reject(error)
      await this.#write([{ ...request, result: { ...result, reply: '' } }]).catch(request.reject)
    }
  }

  async #write(requests: Request[]): Promise<void> {
    const groups = this.#groupsOf(requests)
    const committed =
      groups.length > 0
        ? await this.#untilStored((isRetry) => this.#commit(groups, isRetry))
        : { versions: [], claimed: new Set<string>() }
    const recorded = this.#apply(groups, committed)
    const { claimed } = committed
    for (const { result, next, resolve, reject } of requests) {
      const isOurs = next !== undefined && claimed.delete(next.subscriberId) // a repeated request gets the delivery only once
      if (result && !recorded.has(result.subscriberId)) reject(takenOver(result))
      else resolve(isOurs)
    }
  }

  /** The changes by slice, without results of deliveries not in flight and claims of those already in flight. */
  #groupsOf(requests: Request[]): Group[] {
    const groups = new Map<LeasedSlice, Group>()
    const groupOf = (slice: LeasedSlice) => {
      const known = groups.get(slice)
      if (known) return known
      const group: Group = { slice, batch: { slice: slice.lease, results: [], wanted: [], inFlight: [] } }
      groups.set(slice, group)
      return group
    }
    for (const { result, next } of requests) {
      const slice = result && this.#slices.of(result.subscriberId)
      if (result && slice?.inFlight.has(result.subscriberId)) {
        groupOf(slice).batch.results.push(result)
      }
      const nextSlice = next && this.#slices.of(next.subscriberId)
      if (!nextSlice || nextSlice.inFlight.has(next.subscriberId)) continue
      const { batch } = groupOf(nextSlice)
      const isAsked = batch.wanted.some(({ subscriberId }) => subscriberId === next.subscriberId)
      if (!isAsked) batch.wanted.push({ subscriberId: next.subscriberId, status: next.status })
    }
    for (const { slice, batch } of groups.values()) {
      const ended = new Set(batch.results.map(({ subscriberId }) => subscriberId))
      batch.inFlight = [...slice.inFlight.keys()].filter((id) => !ended.has(id))
    }
    return [...groups.values()].sort((a, b) => (a.slice.lease.firstId < b.slice.lease.firstId ? -1 : 1))
  }

  /** `isRetry`: the last commit may have succeeded without a reply. */
  #commit(groups: Group[], isRetry: boolean): Promise<Committed> {
    const { db, engine, clock } = this.#needs
    const batches = groups.map(({ batch }) => batch)
    return transaction(db, async (trx) => {
      const before = isRetry ? await committedBefore(trx, batches) : undefined
      return before ?? (await recordAndClaim(trx, engine, this.#ledger, batches, clock.now()))
    })
  }

  /** Applies a commit in memory; returns the people whose results were recorded. */
  #apply(groups: Group[], { versions, claimed }: Committed): Set<string> {
    const recorded = new Set<string>()
    for (const [index, { slice, batch }] of groups.entries()) {
      const version = versions[index]
      if (version === undefined) {
        this.#slices.lose(slice)
        continue
      }
      slice.lease = { ...slice.lease, version }
      for (const { subscriberId, status } of batch.results) {
        slice.inFlight.delete(subscriberId)
        recorded.add(subscriberId)
        if (status !== 'queued') this.#slices.close(subscriberId)
      }
      for (const { subscriberId, status } of batch.wanted)
        if (claimed.has(subscriberId)) slice.inFlight.set(subscriberId, status)
    }
    return recorded
  }

  #untilStored<T>(work: (isRetry: boolean) => Promise<T>): Promise<T> {
    return untilStored({ ...this.#options, clock: this.#needs.clock }, work)
  }
}

function takenOver({ reply }: DeliveryResult): AppError {
  return new AppError('internal', `another worker took over this delivery, as if we were dead; the relay said ${reply}`)
}
