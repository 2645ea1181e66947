import type { ReadyMessage } from '../../mail/smtp/envelope.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import type { ConnectionSlots, Customer, Slot } from './connection-slots.ts'
import type { RelayAdmission } from './relay-admission.ts'
import type { RenewingSession } from './renewing-session.ts'

/** The parts of a connection: a session, the limits of its relay, and its slot. */
type Parts = {
  session: RenewingSession
  admission: RelayAdmission
  slots: ConnectionSlots
  customer: Customer
  slot: Slot
  signal: AbortSignal
}

/** One connection of a relay, as used to send an edition. */
export class RelayConnection {
  /** The relay's name; null if only one relay is configured. */
  readonly relay: string | null
  readonly #parts: Parts
  /** The relay had served this connection before the last message. */
  #wasServed = false

  constructor(relay: string | null, parts: Parts) {
    this.relay = relay
    this.#parts = parts
  }

  /** Another edition has fewer connections: this one must be given up once no message is in flight. */
  get isWantedByOthers(): boolean {
    const { slots, customer, slot } = this.#parts
    return slots.isWantedByOthers(customer, slot)
  }

  /** Waits for a turn and admits one message; false: none in this pass. The caller settles each admitted message. */
  admit(): true | Promise<boolean> {
    return this.#parts.admission.admit(this.#parts.signal)
  }

  /**
   * Records the result of an admitted message; undefined: it was not sent. `slowProvider` complained about our rate.
   */
  settle(result: SendResult | undefined, slowProvider?: string): void {
    this.#parts.admission.settle(result, slowProvider)
  }

  /** Hands one message over; `next` is the probable next one. Call `isTurnedAway` with each result. */
  send(message: ReadyMessage, next?: ReadyMessage): Promise<SendResult> {
    const { session, slot } = this.#parts
    this.#wasServed = slot.isProven
    return session.send(message, next)
  }

  /**
   * Whether the relay serves our other connections but not this new one, so that the message must be sent over another.
   */
  isTurnedAway(result: SendResult): boolean {
    const { session, slots, slot } = this.#parts
    if (session.isServed) slots.served(slot)
    const isTurnedAway = !session.isServed && isAboutConnection(result) && slots.isServing(slot)
    if (isTurnedAway) {
      session.discard()
      slots.refused(slot, { wasServed: this.#wasServed })
    } else if (isBroken(result)) slots.broke(slot)
    return isTurnedAway
  }

  /** No message follows: another connection may use the session. */
  release(): void {
    const { session, admission, slots, customer, slot } = this.#parts
    session.release()
    if (slots.open === 1) admission.leave() // the last connection
    slots.release(customer, slot)
  }
}

function isBroken({ kind }: SendResult): boolean {
  return kind === 'cut' || kind === 'unsent' || kind === 'unknown'
}

/**
 * Whether the relay may have turned away a new connection rather than its message: no connection, 421 or another 4xx at
 * MAIL (both `cut`), or a 4xx at RCPT about neither the mailbox (4.1.x, 4.2.x: RFC 3463) nor greylisting.
 */
function isAboutConnection({ kind, reply }: SendResult): boolean {
  if (kind === 'unsent' || kind === 'cut') return true
  return kind === 'deferred' && !/^\d{3}[ -]4\.[12]\.\d|gr[ae]y-?list/i.test(reply)
}
