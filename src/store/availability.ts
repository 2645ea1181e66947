import type { Clock, Instant } from '../clock.ts'
import type { StoreError } from './failure.ts'

/** Since when the database fails, and why. */
export type Outage = { since: Instant; error: StoreError }

/** Remembers the outage under way, from the results of the statements that are run anyway. */
export class Availability {
  readonly #clock: Clock
  #outage: Outage | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get outage(): Outage | undefined {
    return this.#outage
  }

  failed(error: StoreError): void {
    this.#outage = { since: this.#outage?.since ?? this.#clock.now(), error }
  }

  /** A statement succeeded. A read does not show that there is space to write, or that nobody holds the write lock. */
  succeeded(what: 'read' | 'write'): void {
    if (!this.#outage) return
    const { kind } = this.#outage.error
    if (what === 'write' || (kind !== 'full' && kind !== 'locked')) this.#outage = undefined
  }
}
