import type { ReadyMessage } from '../../mail/smtp/envelope.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import type { ConnectionSlots, Customer, Slot } from './connection-slots.ts'
import type { RelayAdmission } from './relay-admission.ts'
import type { RenewingSession } from './renewing-session.ts'

/** What became of a message, and whether its connection was turned away because the relay has too many. */
export type Sent = { result: SendResult; isTurnedAway: boolean }

/** What a connection works with: its place among the connections of its relay, and the relay's limits. */
type Parts = {
  /** The relay's name; null where there is only one. */
  relay: string | null
  session: RenewingSession
  admission: RelayAdmission
  slots: ConnectionSlots
  customer: Customer
  slot: Slot
}

/** One connection of a relay, as the sender of an edition has it. */
export class RelayConnection {
  readonly relay: string | null
  readonly #session: RenewingSession
  readonly #admission: RelayAdmission
  readonly #slots: ConnectionSlots
  readonly #customer: Customer
  readonly #slot: Slot
  readonly #signal: AbortSignal

  constructor({ relay, session, admission, slots, customer, slot }: Parts, signal: AbortSignal) {
    this.relay = relay
    this.#session = session
    this.#admission = admission
    this.#slots = slots
    this.#customer = customer
    this.#slot = slot
    this.#signal = signal
  }

  /** Another edition has fewer connections: this one is to be given up, once no message is in our hands. */
  get isWantedByOthers(): boolean {
    return this.#slots.isWantedByOthers(this.#customer, this.#slot)
  }

  /** Whether one more message may go, when it is its turn; false: none in this pass. Each that may is settled. */
  admit(): true | Promise<boolean> {
    return this.#admission.admit(this.#signal)
  }

  /** What became of a message that was admitted; undefined: it was not sent. `slowProvider` complained of our pace. */
  settle(result: SendResult | undefined, slowProvider?: string): void {
    this.#admission.settle(result, slowProvider)
  }

  /**
   * Hands one message over; `next` will probably follow. `isTurnedAway`: the relay serves other connections of ours and
   * not this new one, so the message is to go over another.
   */
  async send(message: ReadyMessage, next?: ReadyMessage): Promise<Sent> {
    const wasServed = this.#slot.isProven
    const result = await this.#session.send(message, next)
    const { isServed } = this.#session
    if (isServed) this.#slots.served(this.#slot)
    const isTurnedAway = !isServed && isAboutConnection(result) && this.#slots.isServing(this.#slot)
    if (isTurnedAway) {
      this.#session.discard()
      this.#slots.refused(this.#slot, { wasServed })
    } else if (isBroken(result)) this.#slots.broke(this.#slot)
    return { result, isTurnedAway }
  }

  /** No message follows: its session may be used by another. */
  release(): void {
    this.#session.release()
    if (this.#slots.open === 1) this.#admission.leave() // it is the last one
    this.#slots.release(this.#customer, this.#slot)
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
