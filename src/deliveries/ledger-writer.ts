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

/** Whose deliveries are written: one edition's, by one worker. */
type Ledger = { editionId: string; digest: string; workerId: string }

type Claimable = { subscriberId: string; status: DeliveryStatus }

type Request = {
  result: DeliveryResult | undefined
  next: Claimable | undefined
  resolve(isOurs: boolean): void
  reject(error: unknown): void
}

/** The requests of one slice, and what they write. */
type Group = { slice: LeasedSlice; turn: WriterBatch }

/**
 * Writes the ledger of one edition for all connections. A commit costs as much for one row as for fifty, so connections
 * share it: all that was asked while the network was read twice, or while the last commit was being made, is committed
 * together. Before a message is handed over, a commit has put its delivery on the list of what is in flight, and the
 * commit of its answer takes it off: a connection has at most one delivery in flight, whenever the process is killed.
 *
 * An answer of the relay is never dropped: while the store is away the whole group is tried again with backoff, and
 * whoever waits for it sends nothing meanwhile.
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
   * Records how one delivery ended, and claims the next; either may be undefined. Resolves, once that is committed, to
   * whether the next one is ours to send. Throws AppError if the one that ended was taken over by another worker.
   */
  recordAndClaim(result: DeliveryResult | undefined, next: Claimable | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#requests.push({ result, next, resolve, reject })
      this.#schedule()
    })
  }

  /** Makes refusals final that were put off until the relay was believed; `suppress` draws the consequence for addresses. */
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

  /** Queues again what one relay turned down and another may take; the person keeps the attempts that they had. */
  async putBack(turnedDown: Refusal[]): Promise<void> {
    const { db, engine, clock } = this.#needs
    if (turnedDown.length === 0) return
    await this.#untilStored(() => requeueRefused(db, engine, this.#ledger, turnedDown, clock.now()))
  }

  /** Nothing is under way any more: gives up all slices. What still says `in flight` could not be recorded, and is unknown. */
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
      else for (const request of requests) await this.#writeAlone(request) // one bad row spoils no other
    }
    this.#isWriting = false
    if (this.#requests.length > 0) this.#schedule()
  }

  /** A result whose words cannot be stored is stored without them. */
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
      const isOurs = next !== undefined && claimed.delete(next.subscriberId) // once, whoever asks twice
      if (result && !recorded.has(result.subscriberId)) reject(takenOver(result))
      else resolve(isOurs)
    }
  }

  /** What is to be written, by slice; without results of deliveries that are not in flight, and claims of those that are. */
  #groupsOf(requests: Request[]): Group[] {
    const groups = new Map<LeasedSlice, Group>()
    const groupOf = (slice: LeasedSlice) => {
      const known = groups.get(slice)
      if (known) return known
      const inFlight = [...slice.inFlight.keys()]
      const group: Group = { slice, turn: { slice: slice.lease, results: [], wanted: [], inFlight } }
      groups.set(slice, group)
      return group
    }
    for (const { result, next } of requests) {
      const slice = result && this.#slices.of(result.subscriberId)
      if (result && slice?.inFlight.has(result.subscriberId)) {
        const { turn } = groupOf(slice)
        turn.results.push(result)
        turn.inFlight = turn.inFlight.filter((id) => id !== result.subscriberId)
      }
      const nextSlice = next && this.#slices.of(next.subscriberId)
      if (!nextSlice || nextSlice.inFlight.has(next.subscriberId)) continue
      const { turn } = groupOf(nextSlice)
      const isAsked = turn.wanted.some(({ subscriberId }) => subscriberId === next.subscriberId)
      if (!isAsked) turn.wanted.push({ subscriberId: next.subscriberId, status: next.status })
    }
    return [...groups.values()].sort((a, b) => (a.slice.lease.firstId < b.slice.lease.firstId ? -1 : 1))
  }

  /** `isRetry`: the commit before may have been done although we heard nothing of it. */
  #commit(groups: Group[], isRetry: boolean): Promise<Committed> {
    const { db, engine, clock } = this.#needs
    const turns = groups.map(({ turn }) => turn)
    return transaction(db, async (trx) => {
      const before = isRetry ? await committedBefore(trx, turns) : undefined
      return before ?? (await recordAndClaim(trx, engine, this.#ledger, turns, clock.now()))
    })
  }

  /** Takes over what was committed; returns whose results are on record. */
  #apply(groups: Group[], { versions, claimed }: Committed): Set<string> {
    const recorded = new Set<string>()
    for (const [index, { slice, turn }] of groups.entries()) {
      const version = versions[index]
      if (version === undefined) {
        this.#slices.lose(slice)
        continue
      }
      slice.lease = { ...slice.lease, version }
      for (const { subscriberId, status } of turn.results) {
        slice.inFlight.delete(subscriberId)
        recorded.add(subscriberId)
        if (status !== 'queued') this.#slices.close(subscriberId)
      }
      for (const { subscriberId, status } of turn.wanted)
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
