import type { SendResult } from '../../mail/smtp/result.ts'
import type { QueuedDelivery } from '../../store/deliveries/deliveries.ts'
import type { Refusal } from '../../store/deliveries/requeue.ts'
import type { Reason } from '../../store/events/reason.ts'

/** A message that a relay did not take. */
export type TurnedDown = {
  delivery: QueuedDelivery
  reply: string
  reason: Reason | undefined
  /** A refusal of the person, trusted only after the relay has accepted a message. */
  isRefusal: boolean
  /** It was the first try. */
  isFirstTry: boolean
  provider: string
}

/** Maximum number remembered; any others are retried later like deferred messages. */
const maxRemembered = 10_000
/** A relay that turned down this many in a row, without an acceptance, is no longer trusted. */
const maxTurnedDown = 10
/**
 * At least this many of them must be at providers other than the most frequent one: a single provider may refuse all
 * its people.
 */
const minElsewhere = 5

/**
 * What one relay has replied about an edition's recipients in one pass. Its refusals are trusted after a later
 * acceptance, or at the end of a pass with any: a relay that refuses everyone (wrong server, empty mailbox map, broken
 * filter) knows nothing about any recipient.
 */
export class RelayVerdicts {
  readonly relay: string | null
  #accepted = 0
  /** Not trusted yet. */
  #inDoubt: TurnedDown[] = []
  /** Acceptances since the first of them. */
  #acceptedSince = 0
  /** Messages in a row that the relay took without a final reply. */
  unknownsInRow = 0

  constructor(relay: string | null) {
    this.relay = relay
  }

  get accepted(): number {
    return this.#accepted
  }

  /**
   * Whether it turned down too many in a row for chance; if it has accepted some, they must also be at several
   * providers.
   */
  get isSuspect(): boolean {
    if (this.#inDoubt.length < maxTurnedDown) return false
    return this.#accepted === 0 || isSpread(this.#inDoubt)
  }

  /** The recipients that the relay refused in a row, if there are enough of them to distrust it. */
  get refusalsInARow(): TurnedDown[] {
    const refusals = this.#inDoubt.filter(({ isRefusal }) => isRefusal)
    return refusals.length >= maxTurnedDown ? refusals : []
  }

  get inDoubt(): readonly TurnedDown[] {
    return this.#inDoubt
  }

  /**
   * Records an acceptance; returns the refusals that are now trusted, undefined for none. A long row needs as many
   * acceptances, because a single one does not prove a working relay.
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
    if (!one.isRefusal && this.#accepted > 0) return // a relay that accepts messages is trusted about deferrals
    if (this.#inDoubt.length < maxRemembered) this.#inDoubt.push(one)
  }

  /** Returns and clears the doubtful messages; the caller decides them. */
  takeInDoubt(): TurnedDown[] {
    const taken = this.#inDoubt
    this.#inDoubt = []
    this.#acceptedSince = 0
    return taken
  }
}

/** Whether these people are at several providers, first tries only. */
export function isSpread(turnedDown: readonly TurnedDown[]): boolean {
  const first = turnedDown.filter(({ isFirstTry }) => isFirstTry)
  const counts = Map.groupBy(first, ({ provider }) => provider)
  const most = Math.max(0, ...[...counts.values()].map(({ length }) => length))
  return first.length >= maxTurnedDown && first.length - most >= minElsewhere
}

/** Classifies one reply for the verdicts; undefined: another relay could do no better. */
export function turnedDownBy(
  { kind, reply, reason }: SendResult,
  delivery: QueuedDelivery,
  provider: string,
): TurnedDown | undefined {
  if (kind !== 'refused' && kind !== 'rejected' && kind !== 'deferred' && kind !== 'cut') return undefined
  return { delivery, reply, reason, isRefusal: kind === 'refused', isFirstTry: delivery.attempts === 0, provider }
}

export function toRefusal({ delivery, reply }: TurnedDown): Refusal {
  return { subscriberId: delivery.subscriberId, reply, attemptsBefore: delivery.attempts }
}
