import { AppError } from '../errors.ts'
import {
  confirmRefusals,
  type DeliveryResult,
  type Refusal,
  recordAndClaim,
  requeueRefused,
  stillClaimed,
} from '../store/deliveries/deliveries.ts'
import { markOwnAbandoned } from '../store/deliveries/unknown.ts'
import { isStoreUnavailable } from '../store/drivers/failure.ts'
import { transaction } from '../store/drivers/transaction.ts'
import type { Engine } from '../store/engine.ts'
import type { Db } from '../store/schema.ts'
import type { WaitingClock } from '../time/clock.ts'
import { handleRefusals } from './refusals.ts'
import { type StoreWait, untilStored } from './until-stored.ts'

type Needs = { db: Db; engine: Engine; clock: WaitingClock }

/** Whose deliveries are written: one edition's, by one worker. */
type Ledger = { editionId: string; digest: string; workerId: string }

type Request = {
  result: DeliveryResult | undefined
  next: string | undefined
  resolve(isOurs: boolean): void
  reject(error: unknown): void
}

/**
 * Writes the ledger of one edition for all connections. A commit costs as much for one row as for fifty, so connections
 * share it: all that was asked while the network was read twice, or while the last commit was being made, is committed
 * together. A connection has at most one delivery in the state `sending`, whenever the process is killed.
 *
 * An answer of the relay is never dropped: while the store is away the whole group is tried again with backoff, and
 * whoever waits for it sends nothing meanwhile.
 */
export class LedgerWriter {
  readonly #needs: Needs
  readonly #ledger: Ledger
  readonly #options: Omit<StoreWait, 'clock'>
  /** Claimed, and not yet asked to be recorded. */
  readonly #inFlight = new Set<string>()
  #requests: Request[] = []
  #isWriting = false

  constructor(needs: Needs, ledger: Ledger, options: Omit<StoreWait, 'clock'> = {}) {
    this.#needs = needs
    this.#ledger = ledger
    this.#options = options
  }

  /**
   * Records how one delivery ended, and claims the next; either may be undefined. Resolves, once that is committed, to
   * whether the next one is ours to send. Throws AppError if the one that ended was taken over by another worker.
   */
  recordAndClaim(result: DeliveryResult | undefined, next: string | undefined): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#requests.push({ result, next, resolve, reject })
      this.#schedule()
    })
  }

  /** Makes refusals final that were put off until the relay was believed; `suppress` draws the consequence for addresses. */
  async confirm(refusals: Refusal[], { suppress }: { suppress: boolean }): Promise<void> {
    const { db, clock } = this.#needs
    if (refusals.length === 0) return
    await this.#untilStored(() =>
      transaction(db, async (trx) => {
        const now = clock.now()
        const final = await confirmRefusals(trx, this.#ledger, refusals, now)
        if (suppress) await handleRefusals(trx, this.#ledger.editionId, final, now)
      }),
    )
  }

  /** Queues again what one relay turned down and another may take; the person keeps the attempts that they had. */
  async putBack(turnedDown: Refusal[]): Promise<void> {
    if (turnedDown.length === 0) return
    await this.#untilStored(() => requeueRefused(this.#needs.db, this.#ledger, turnedDown, this.#needs.clock.now()))
  }

  /** Nothing is in our hands any more: what still says so could not be recorded, and is `unknown`. Returns how many. */
  close(): Promise<number> {
    const { db, clock } = this.#needs
    return this.#untilStored(() => markOwnAbandoned(db, this.#ledger, clock.now()))
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

  async #write(requests: Request[]): Promise<void> {
    for (const { result } of requests) if (result) this.#inFlight.delete(result.subscriberId)
    const { lost, claimed } = await this.#untilStored((isRetry) => this.#commit(requests, isRetry))
    for (const { result, next, resolve, reject } of requests) {
      const isOurs = next !== undefined && claimed.delete(next) // once, whoever asks twice
      if (isOurs) this.#inFlight.add(next)
      if (result && lost.has(result.subscriberId)) reject(takenOver(result))
      else resolve(isOurs)
    }
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

  /** `isRetry`: the commit before may have been done although we heard nothing of it. */
  #commit(requests: Request[], isRetry: boolean) {
    const { db, engine, clock } = this.#needs
    const ledger = this.#ledger
    const now = clock.now()
    const results = requests.flatMap(({ result }) => (result ? [result] : []))
    const wanted = requests.flatMap(({ next }) => (next === undefined ? [] : [next]))
    return transaction(db, async (trx) => {
      const none = new Set<string>()
      const had = isRetry ? (await stillClaimed(trx, ledger, wanted)).difference(this.#inFlight) : none
      const subscriberIds = wanted.filter((id) => !had.has(id))
      const { lost, claimed } = await recordAndClaim(trx, engine, ledger, { results, subscriberIds }, now)
      return { lost, claimed: had.size > 0 ? new Set([...had, ...claimed]) : claimed }
    })
  }

  #untilStored<T>(work: (isRetry: boolean) => Promise<T>): Promise<T> {
    return untilStored({ ...this.#options, clock: this.#needs.clock }, work)
  }
}

function takenOver({ reply }: DeliveryResult): AppError {
  return new AppError('internal', `another worker took over this delivery, as if we were dead; the relay said ${reply}`)
}
