import type { ReadyMessage } from '../../mail/smtp/envelope.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import type { ConnectionSlots, Customer, Slot } from './connection-slots.ts'
import type { RelayAdmission } from './relay-admission.ts'
import type { RenewingSession } from './renewing-session.ts'

/** What became of a message, and whether its connection was turned away because the relay has too many. */
export type Sent = { result: SendResult; isTurnedAway: boolean }

/** What a connection works with: a session, the limits of its relay, and its slot among the relay's connections. */
type Parts = {
  session: RenewingSession
  admission: RelayAdmission
  slots: ConnectionSlots
  customer: Customer
  slot: Slot
  signal: AbortSignal
}

/** One connection of a relay, as the sender of an edition has it. */
export class RelayConnection {
  /** The relay's name; null where there is only one. */
  readonly relay: string | null
  readonly #parts: Parts

  constructor(relay: string | null, parts: Parts) {
    this.relay = relay
    this.#parts = parts
  }

  /** Another edition has fewer connections: this one is to be given up, once no message is in our hands. */
  get isWantedByOthers(): boolean {
    const { slots, customer, slot } = this.#parts
    return slots.isWantedByOthers(customer, slot)
  }

  /** Whether one more message may go, when it is its turn; false: none in this pass. Each that may is settled. */
  admit(): true | Promise<boolean> {
    return this.#parts.admission.admit(this.#parts.signal)
  }

  /** What became of a message that was admitted; undefined: it was not sent. `slowProvider` complained of our pace. */
  settle(result: SendResult | undefined, slowProvider?: string): void {
    this.#parts.admission.settle(result, slowProvider)
  }

  /**
   * Hands one message over; `next` will probably follow. `isTurnedAway`: the relay serves other connections of ours and
   * not this new one, so the message is to go over another.
   */
  async send(message: ReadyMessage, next?: ReadyMessage): Promise<Sent> {
    const { session, slots, slot } = this.#parts
    const wasServed = slot.isProven
    const result = await session.send(message, next)
    if (session.isServed) slots.served(slot)
    const isTurnedAway = !session.isServed && isAboutConnection(result) && slots.isServing(slot)
    if (isTurnedAway) {
      session.discard()
      slots.refused(slot, { wasServed })
    } else if (isBroken(result)) slots.broke(slot)
    return { result, isTurnedAway }
  }

  /** No message follows: its session may be used by another. */
  release(): void {
    const { session, admission, slots, customer, slot } = this.#parts
    session.release()
    if (slots.open === 1) admission.leave() // it is the last one
    slots.release(customer, slot)
  }
}

function isBroken({ kind }: SendResult): boolean {
  return kind === 'cut' || kind === 'unsent' || kind === 'unknown'
}

/**
 * Whether a new connection may have been turned away, and not its message: no connection, 421 or another 4xx at MAIL
 * (both `cut`), or a 4xx at RCPT that says nothing of the mailbox (4.1.x, 4.2.x: RFC 3463) nor of greylisting.
 */
function isAboutConnection({ kind, reply }: SendResult): boolean {
  if (kind === 'unsent' || kind === 'cut') return true
  return kind === 'deferred' && !/^\d{3}[ -]4\.[12]\.\d|gr[ae]y-?list/i.test(reply)
}
