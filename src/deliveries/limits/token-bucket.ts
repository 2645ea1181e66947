import { addMs, type Instant, msBetween, second } from '../../time/clock.ts'

/** A token bucket: each message takes one token. */
export class TokenBucket {
  #tokens = 0
  #at: Instant

  /** An empty bucket at an instant. */
  constructor(at: Instant) {
    this.#at = at
  }

  get tokens(): number {
    return this.#tokens
  }

  /** The instant at which the tokens were counted. */
  get at(): Instant {
    return this.#at
  }

  /** False if there is no token. */
  take(): boolean {
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  giveBack(capacity: number): void {
    this.#tokens = Math.min(capacity, this.#tokens + 1)
  }

  /** Sets the number of tokens at an instant. */
  set(tokens: number, at: Instant): void {
    this.#tokens = tokens
    this.#at = at
  }

  /** Adds the tokens since the last count, at `perSecond`, up to the capacity. A clock that was set back adds none. */
  refill(perSecond: number, capacity: number, now: Instant): void {
    const elapsedMs = Math.max(0, msBetween(this.#at, now))
    this.set(Math.min(capacity, this.#tokens + (perSecond * elapsedMs) / second), now)
  }

  /** When the next token is available, at `perSecond`. */
  readyAt(perSecond: number): Instant {
    return this.#tokens >= 1 ? this.#at : addMs(this.#at, Math.ceil(((1 - this.#tokens) / perSecond) * second))
  }
}
