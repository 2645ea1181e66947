import type { SendResult } from '../../mail/smtp/result.ts'
import { reserveSpan } from '../../store/limits/relay-rates.ts'
import type { Db } from '../../store/schema.ts'
import { minute, msBetween, second, type WaitingClock } from '../../time/clock.ts'
import type { Limit } from './limit.ts'
import { TokenBucket } from './token-bucket.ts'

/** A process reserves the messages of a tenth of a second at a time, at least one. */
const reservedSeconds = 0.1

/**
 * A limit in messages per second, shared by all processes on one store: each reserves a time span in which its messages
 * may begin. The limit applies from the first message, and an idle process uses none of it.
 */
export class RelayRate implements Limit {
  readonly #db: Db
  readonly #clock: WaitingClock
  readonly #name: string
  readonly #batch: number
  readonly #spanMs: number
  /** The messages left in the reserved span, counted from its start. */
  readonly #bucket: TokenBucket

  constructor({ db, clock }: { db: Db; clock: WaitingClock }, name: string, perSecond: number) {
    this.#db = db
    this.#clock = clock
    this.#name = name
    this.#batch = Math.max(1, Math.floor(perSecond * reservedSeconds))
    this.#spanMs = Math.ceil((this.#batch / perSecond) * second)
    this.#bucket = new TokenBucket(clock.now())
  }

  reserve(): 'ok' | 'refill' {
    return this.#bucket.tokens >= 1 && this.#untilSpan() <= 0 && this.#bucket.take() ? 'ok' : 'refill'
  }

  /** Reserves a span and waits until it begins. */
  async refill(signal?: AbortSignal): Promise<void> {
    if (this.#bucket.tokens < 1) {
      const span = { now: this.#clock.now(), spanMs: this.#spanMs, horizonMs: this.#horizonMs() }
      this.#bucket.set(this.#batch, await reserveSpan(this.#db, this.#name, span))
    }
    const waitMs = this.#untilSpan()
    if (waitMs > 0) await this.#clock.wait(waitMs, signal)
  }

  settle(result: SendResult | undefined): void {
    if (!result) this.#bucket.giveBack(this.#batch)
  }

  /** Milliseconds. A clock that was set back does not prolong the wait. */
  #untilSpan(): number {
    const wait = msBetween(this.#clock.now(), this.#bucket.at)
    return wait > this.#horizonMs() ? 0 : wait
  }

  /** Allows twenty processes with one reservation each, and one minute of clock difference. */
  #horizonMs(): number {
    return minute + 20 * this.#spanMs
  }
}
