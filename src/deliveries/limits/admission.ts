import type { SendResult } from '../../mail/smtp/result.ts'
import type { Limit, Reservation, Wait } from './limit.ts'

/** Combines several limits: whether one more message may be sent. */
export class Admission {
  readonly #limits: readonly Limit[]
  /** The limit that refused the last reservation. */
  #refusing: Limit | undefined
  #turn: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(limits: readonly Limit[]) {
    this.#limits = limits
  }

  /** Reserves one message under every limit, or under none. */
  reserve(): Reservation {
    for (let index = 0; index < this.#limits.length; index++) {
      const reservation = this.#limits[index]?.reserve() ?? 'ok'
      if (reservation === 'ok') continue
      this.#refusing = this.#limits[index]
      while (--index >= 0) this.#limits[index]?.settle(undefined)
      return reservation
    }
    return 'ok'
  }

  /** Reserves one message, in call order, after refilling the limits; undefined: the signal fired first. */
  reserveInTurn(signal?: AbortSignal): 'ok' | Promise<'ok' | Wait | undefined> {
    if (this.#waiting === 0 && this.reserve() === 'ok') return 'ok'
    this.#waiting += 1
    const reserved = this.#turn
      .then(() => this.#refillAndReserve(signal))
      .finally(() => {
        this.#waiting -= 1
      })
    this.#turn = reserved.catch(() => {})
    return reserved
  }

  /** Why no message may be sent now, and until when; undefined: messages may be sent. */
  async blockedReason(): Promise<Wait | undefined> {
    const reserved = await this.reserveInTurn()
    if (reserved !== 'ok') return reserved
    this.settle(undefined)
    return undefined
  }

  /** Whether a reserved message may still be sent. */
  isOpen(): boolean {
    return this.#limits.every((limit) => limit.isOpen?.() ?? true)
  }

  /** Records the result of a reserved message; undefined: it was not sent. */
  settle(result: SendResult | undefined): void {
    for (const limit of this.#limits) limit.settle(result)
  }

  async close(): Promise<void> {
    for (const limit of this.#limits) await limit.close?.()
  }

  async #refillAndReserve(signal: AbortSignal | undefined): Promise<'ok' | Wait | undefined> {
    while (!signal?.aborted) {
      const reservation = this.reserve()
      if (reservation !== 'refill') return reservation
      await this.#refusing?.refill?.(signal)
    }
    return undefined
  }
}
