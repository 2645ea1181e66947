import type { SendResult } from '../../mail/smtp/result.ts'
import type { Instant } from '../../time/clock.ts'

/** Something could go out, but not before then. `reason` is a clause for a person. */
export type Wait = { until: Instant; reason: string }

/** `ok`: one message is reserved. `refill`: ask again after `refill`. A wait: no message may go before then. */
export type Reservation = 'ok' | 'refill' | Wait

/** One rule about when messages may go out, or how many. Each message that is reserved is settled. */
export interface Limit {
  /** Reserves one message, from what this process knows and holds. */
  reserve(): Reservation
  /** Gets from the store what `reserve` hands out, or waits for it; the signal ends the wait. */
  refill?(signal?: AbortSignal): Promise<void>
  /** What became of a message that was reserved; undefined: it was not sent. */
  settle(result: SendResult | undefined): void
  /** Whether a reserved message may still go: it may have waited for a relay. */
  isOpen?(): boolean
  /** No message is on its way any more: gives back what the store gave and nobody used. */
  close?(): Promise<void>
}
