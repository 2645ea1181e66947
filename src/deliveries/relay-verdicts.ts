import type { QueuedDelivery, Refusal } from '../store/deliveries.ts'
import type { SendResult } from './delivery.ts'

/** One message that a relay did not take. */
export type TurnedDown = {
  delivery: QueuedDelivery
  reply: string
  /** A refusal of the person, which is not believed before the relay has accepted something. */
  isRefusal: boolean
  /** Nobody had tried to send it before. */
  isFirstTry: boolean
  provider: string
}

/** More than this are not remembered: those are tried again later like anybody who was put off. */
const maxRemembered = 10_000
/** A relay that turned down so many and accepted nothing, while another accepts, is left alone. */
const maxTurnedDown = 10

/**
 * What one relay has said in one pass about the people of an edition. Its refusals are believed once it has accepted a
 * message after them, or at the end of a pass in which it has accepted any: a relay that refuses everybody alike (a wrong
 * server, an empty mailbox map, a broken filter) knows nothing about anybody.
 */
export class RelayVerdicts {
  readonly relay: string | null
  #accepted = 0
  /** Not believed yet. */
  #inDoubt: TurnedDown[] = []

  constructor(relay: string | null) {
    this.relay = relay
  }

  get accepted(): number {
    return this.#accepted
  }

  /** It has accepted nothing, and turned down enough for that to be no chance. */
  get isSuspect(): boolean {
    return this.#accepted === 0 && this.#inDoubt.length >= maxTurnedDown
  }

  get inDoubt(): readonly TurnedDown[] {
    return this.#inDoubt
  }

  /** It has accepted a message: returns the refusals that are believed now, undefined for none. */
  accept(): TurnedDown[] | undefined {
    this.#accepted += 1
    return this.#inDoubt.length > 0 ? this.takeInDoubt().filter(({ isRefusal }) => isRefusal) : undefined
  }

  turnDown(one: TurnedDown): void {
    if (!one.isRefusal && this.#accepted > 0) return // a relay that accepts is believed about what it puts off
    if (this.#inDoubt.length < maxRemembered) this.#inDoubt.push(one)
  }

  /** What is in doubt, which is then decided. */
  takeInDoubt(): TurnedDown[] {
    const taken = this.#inDoubt
    this.#inDoubt = []
    return taken
  }
}

/** What one answer is in this respect; undefined: it is about nothing that another relay could do better. */
export function turnedDownBy(
  { kind, reply }: SendResult,
  delivery: QueuedDelivery,
  provider: string,
): TurnedDown | undefined {
  if (kind !== 'refused' && kind !== 'rejected' && kind !== 'deferred' && kind !== 'cut') return undefined
  return { delivery, reply, isRefusal: kind === 'refused', isFirstTry: delivery.attempts === 0, provider }
}

export function toRefusal({ delivery, reply }: TurnedDown): Refusal {
  return { subscriberId: delivery.subscriberId, reply, attemptsBefore: delivery.attempts }
}
