import { reserveSpan } from '../../store/limits/relay-rates.ts'
import type { Db } from '../../store/schema.ts'
import { type Instant, minute, msBetween, second, type WaitingClock } from '../../time/clock.ts'

type Needs = { db: Db; clock: WaitingClock }

/** A process reserves the messages of a tenth of a second at a time, and one at least. */
const reservedAtOnce = 0.1

/**
 * At most so many messages a second, over all processes that share the store: each reserves a little of the time in which
 * they may be begun. So the limit holds from the first message on, whoever starts at the same moment, and a process that
 * has little to send leaves the rest to the others.
 */
export class Rate {
  readonly #needs: Needs
  readonly #name: string
  readonly #batch: number
  readonly #spanMs: number
  /** Messages that are reserved and not begun yet, and from when on they may be. */
  #tokens = 0
  #from: Instant
  #queue: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(needs: Needs, name: string, perSecond: number) {
    this.#needs = needs
    this.#from = needs.clock.now()
    this.#name = name
    this.#batch = Math.max(1, Math.floor(perSecond * reservedAtOnce))
    this.#spanMs = Math.ceil((this.#batch / perSecond) * second)
  }

  /** Waits until one more may go; false: the signal fired first. */
  take(signal?: AbortSignal): true | Promise<boolean> {
    if (this.#waiting === 0 && this.#takeReserved()) return true
    this.#waiting += 1
    const taken = this.#queue
      .then(() => this.#takeInTurn(signal))
      .finally(() => {
        this.#waiting -= 1
      })
    this.#queue = taken.catch(() => {})
    return taken
  }

  /** One that was taken did not go after all. */
  giveBack(): void {
    this.#tokens = Math.min(this.#batch, this.#tokens + 1)
  }

  #takeReserved(): boolean {
    if (this.#tokens < 1 || this.#untilFrom() > 0) return false
    this.#tokens -= 1
    return true
  }

  async #takeInTurn(signal: AbortSignal | undefined): Promise<boolean> {
    const { clock } = this.#needs
    while (!signal?.aborted) {
      if (this.#takeReserved()) return true
      if (this.#tokens < 1) await this.#reserve()
      const wait = this.#untilFrom()
      if (wait > 0) await clock.wait(wait, signal)
    }
    return false
  }

  async #reserve(): Promise<void> {
    const { db, clock } = this.#needs
    const span = { now: clock.now(), spanMs: this.#spanMs, horizonMs: this.#horizonMs() }
    this.#from = await reserveSpan(db, this.#name, span)
    this.#tokens = this.#batch
  }

  /** Milliseconds until what is reserved may go. A clock that was set back since may not make it wait for longer than it would have. */
  #untilFrom(): number {
    const wait = msBetween(this.#needs.clock.now(), this.#from)
    return wait > this.#horizonMs() ? 0 : wait
  }

  /** Twenty processes that each have one reservation, and a minute for those whose clocks differ. */
  #horizonMs(): number {
    return minute + 20 * this.#spanMs
  }
}
