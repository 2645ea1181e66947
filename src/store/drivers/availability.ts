import { type Clock, type Instant, msBetween, second } from '../../time/clock.ts'
import type { StoreError } from './failure.ts'

/** When and why the database began to fail. */
export type Outage = { since: Instant; error: StoreError }

/** A disk that is full again within this time was full throughout. */
const sameOutageMs = 30 * second

/** The current outage, if any, by the results of all statements. */
export class Availability {
  readonly #clock: Clock
  #outage: Outage | undefined
  /** The last outage and its end: on a full disk an occasional small write succeeds. */
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

  /** A statement succeeded. A read does not prove that there is space to write, or that the write lock is free. */
  recordSuccess(what: 'read' | 'write'): void {
    if (!this.#outage) return
    const { kind } = this.#outage.error
    if (what === 'read' && (kind === 'full' || kind === 'locked')) return
    if (kind === 'full') this.#last = { outage: this.#outage, endedAt: this.#clock.now() }
    this.#outage = undefined
  }
}
