import type { SendResult } from '../../mail/smtp/result.ts'
import type { QueuedDelivery } from '../../store/deliveries/deliveries.ts'
import type { Refusal } from '../../store/deliveries/requeue.ts'

/** One message that a relay did not take. */
export type TurnedDown = {
  delivery: QueuedDelivery
  reply: string
  /** A refusal of the person, which is not believed before the relay has accepted something. */
  isRefusal: boolean
  /** It was never tried before. */
  isFirstTry: boolean
  provider: string
}

/** More than this are not remembered: they are tried again later like any deferred message. */
const maxRemembered = 10_000
/** A relay that turned down this many in a row, and accepted nothing among them, is no longer believed. */
const maxTurnedDown = 10
/** This many of them have to be at other providers than the one with most: a single provider may refuse all of its people. */
const minElsewhere = 5

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
  /** Accepted since the first of them. */
  #acceptedSince = 0
  /** Messages in a row that it took and never answered for. */
  unknownsInRow = 0

  constructor(relay: string | null) {
    this.relay = relay
  }

  get accepted(): number {
    return this.#accepted
  }

  /** It has turned down enough in a row for that to be no chance: whatever it is that it has never accepted, or people. */
  get isSuspect(): boolean {
    if (this.#inDoubt.length < maxTurnedDown) return false
    return this.#accepted === 0 || isSpread(this.#inDoubt)
  }

  /** The people whom it has refused in a row, if they are too many to be believed. */
  get refusalsInARow(): TurnedDown[] {
    const refusals = this.#inDoubt.filter(({ isRefusal }) => isRefusal)
    return refusals.length >= maxTurnedDown ? refusals : []
  }

  get inDoubt(): readonly TurnedDown[] {
    return this.#inDoubt
  }

  /**
   * It has accepted a message: returns the refusals that are believed now, undefined for none. A long row of them takes as
   * many acceptances: one between is no sign of health.
   */
  accept(): TurnedDown[] | undefined {
    this.#accepted += 1
    this.unknownsInRow = 0
    if (this.#inDoubt.length === 0) return undefined
    this.#acceptedSince += 1
    if (this.#inDoubt.length >= maxTurnedDown && this.#acceptedSince < this.#inDoubt.length) return undefined
    return this.takeInDoubt().filter(({ isRefusal }) => isRefusal)
  }

  turnDown(one: TurnedDown): void {
    if (!one.isRefusal && this.#accepted > 0) return // a relay that accepts is believed about what it puts off
    if (this.#inDoubt.length < maxRemembered) this.#inDoubt.push(one)
  }

  /** What is in doubt, which is then decided. */
  takeInDoubt(): TurnedDown[] {
    const taken = this.#inDoubt
    this.#inDoubt = []
    this.#acceptedSince = 0
    return taken
  }
}

/** Whether these are people of several providers, counting first tries only. */
export function isSpread(turnedDown: readonly TurnedDown[]): boolean {
  const first = turnedDown.filter(({ isFirstTry }) => isFirstTry)
  const counts = Map.groupBy(first, ({ provider }) => provider)
  const most = Math.max(0, ...[...counts.values()].map(({ length }) => length))
  return first.length >= maxTurnedDown && first.length - most >= minElsewhere
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
