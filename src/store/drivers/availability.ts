import { type Clock, type Instant, msBetween, second } from '../../time/clock.ts'
import type { StoreError } from './failure.ts'

/** Since when the database fails, and why. */
export type Outage = { since: Instant; error: StoreError }

/** A disk that is full again within this time counts as full throughout. */
const sameOutageMs = 30 * second

/** Remembers the outage under way, from the results of the statements that are run anyway. */
export class Availability {
  readonly #clock: Clock
  #outage: Outage | undefined
  /** The one before, and when it ended: on a full disk a small write succeeds now and then. */
  #last: { outage: Outage; endedAt: Instant } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get outage(): Outage | undefined {
    return this.#outage
  }

  recordFailure(error: StoreError): void {
    this.#outage = { since: this.#outage?.since ?? this.#sameAsLast(error)?.since ?? this.#clock.now(), error }
  }

  #sameAsLast({ kind }: StoreError): Outage | undefined {
    if (!this.#last) return undefined
    const { outage, endedAt } = this.#last
    const ago = msBetween(endedAt, this.#clock.now())
    return outage.error.kind === kind && ago >= 0 && ago < sameOutageMs ? outage : undefined
  }

  /** A statement succeeded. A read does not show that there is space to write, or that the write lock is free. */
  recordSuccess(what: 'read' | 'write'): void {
    if (!this.#outage) return
    const { kind } = this.#outage.error
    if (what === 'read' && (kind === 'full' || kind === 'locked')) return
    if (kind === 'full') this.#last = { outage: this.#outage, endedAt: this.#clock.now() }
    this.#outage = undefined
  }
}
