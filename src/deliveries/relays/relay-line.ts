import type { SendResult } from '../../mail/smtp/result.ts'
import type { Ready } from '../../mail/smtp/wire.ts'
import type { Customer, Slot } from './connection-slots.ts'
import type { Line } from './relay.ts'
import type { RelayMember } from './relay-member.ts'

/** What a line is told of a message: what became of it, and whether its connection was turned away for want of room. */
export type Sent = { result: SendResult; isTurnedAway: boolean }

/** One connection of a relay, as the sender of an edition sees it. */
export class RelayLine {
  readonly #member: RelayMember
  readonly #customer: Customer
  readonly #slot: Slot
  readonly #line: Line
  readonly #signal: AbortSignal

  constructor(member: RelayMember, customer: Customer, slot: Slot, signal: AbortSignal) {
    this.#member = member
    this.#customer = customer
    this.#slot = slot
    this.#line = member.relay.line()
    this.#signal = signal
  }

  /** By which relay messages go over it; null where there is only one. */
  get relay(): string | null {
    return this.#member.isAlone ? null : this.#member.name
  }

  /** Another edition has fewer connections: this one is to be given up, once nothing is in our hands. */
  get isWantedByOthers(): boolean {
    return this.#member.slots.isWantedByOthers(this.#customer, this.#slot)
  }

  /** Whether one more may go over it, when it is its turn; false: none in this pass. Each that may is to be settled. */
  admit(): true | Promise<boolean> {
    return this.#member.admit(this.#signal)
  }

  /**
   * Hands one message over; `next` will probably follow. `isTurnedAway`: the relay serves other connections of ours and
   * not this new one, so the message is to go over another, and this line is of no use.
   */
  async send(message: Ready, next?: Ready): Promise<Sent> {
    const wasServed = this.#slot.isProven
    const result = await this.#line.send(message, next)
    const { slots } = this.#member
    if (this.#line.served) {
      slots.served(this.#slot)
      if (isBroken(result)) slots.broke(this.#slot)
      return { result, isTurnedAway: false }
    }
    const isTurnedAway = isAboutConnection(result) && slots.isServing(this.#slot)
    if (isTurnedAway) {
      this.#line.discard()
      slots.refused(this.#slot, { wasServed })
    } else if (isBroken(result)) slots.broke(this.#slot)
    return { result, isTurnedAway }
  }

  /** What became of one that was admitted; undefined: it was not sent. `slowProvider` complained of our pace. */
  settle(result: SendResult | undefined, slowProvider?: string): void {
    this.#member.settle(result, slowProvider)
  }

  settleTurnedAway(): void {
    this.#member.settleUnsent()
  }

  /** Nothing more goes over it: its connection may be used by another. */
  release(): void {
    this.#line.release()
    this.#member.lineEnded()
    this.#member.slots.release(this.#customer, this.#slot)
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
