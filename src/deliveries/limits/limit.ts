import type { SendResult } from '../../mail/smtp/result.ts'
import type { Reason } from '../../store/events/reason.ts'
import type { Instant } from '../../time/clock.ts'

/** No message may be sent before `until`. */
export type Wait = { until: Instant; reason: Reason }

/**
 * `ok`: one message is reserved. `refill`: call `refill`, then reserve again. A wait: no message may be sent before
 * then.
 */
export type Reservation = 'ok' | 'refill' | Wait

/** A rule that limits when messages may be sent, or how many. The caller settles each reserved message. */
export interface Limit {
  /** Reserves one message from what this process holds in memory. */
  reserve(): Reservation
  /** Fetches more of the quota from the store, or waits for it; the signal ends the wait. */
  refill?(signal?: AbortSignal): Promise<void>
  /** Records the result of a reserved message; undefined: it was not sent. */
  settle(result: SendResult | undefined): void
  /** Whether a reserved message may still be sent: it may have waited for a relay. */
  isOpen?(): boolean
  /** No message is in flight: returns the unused quota to the store. */
  close?(): Promise<void>
}
