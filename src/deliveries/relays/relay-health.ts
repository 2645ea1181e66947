import type { SendResult } from '../../mail/smtp/result.ts'
import { addMs, type Clock, type Instant, minute, second } from '../../time/clock.ts'

/** After so many messages in a row that did not get through the relay is down … */
const maxTroubles = 10
/** … or after so many connections in a row that could not be opened. */
const maxUnreached = 3
/** A relay that is down is left alone for so long, each time twice as long, up to ten minutes. */
const firstRestMs = 15 * second
const maxRestMs = 10 * minute
/** One that answers, and is not to be believed, is left alone for longer: nothing but a person will mend it. */
const distrustMs = 30 * minute

/** Whether a relay takes messages, and since when and why it is left alone where it does not. */
export class RelayHealth {
  readonly #clock: Clock
  readonly #name: string
  #troubles = 0
  #unreached = 0
  /** The provider that complained last of our pace, if that was the last trouble. */
  #slowProvider: string | undefined
  #rest: { from: Instant; until: Instant } | undefined
  #nextRestMs = firstRestMs
  #trouble = ''
  /** The last message did not reach it. */
  #isLastUnreached = false

  /** `name` is what sentences call it: "the relay", "the relay second". */
  constructor(clock: Clock, name: string) {
    this.#clock = clock
    this.#name = name
  }

  /** A clock that was set back ends the rest. */
  get isResting(): boolean {
    const now = this.#clock.now()
    return this.#rest !== undefined && this.#rest.from <= now && now < this.#rest.until
  }

  /** Whether it was ever left alone. */
  get hasRested(): boolean {
    return this.#rest !== undefined
  }

  get restsUntil(): Instant {
    return this.#rest?.until ?? ''
  }

  /** "the relay second takes no messages: 421 4.3.2 …". */
  get trouble(): string {
    return this.#trouble
  }

  /** A pass begins: it gets its chances anew. */
  begin(): void {
    this.#troubles = 0
    this.#unreached = 0
  }

  /** What became of a message. `slowProvider` is the mail provider that complained of our pace, if one did. */
  hear({ kind, reply }: SendResult, slowProvider: string | undefined): void {
    const isUnreached = kind === 'unsent' || kind === 'cut'
    if (isUnreached && slowProvider !== undefined && slowProvider === this.#slowProvider) return // it counts once, however often it complains
    const isTrouble = isUnreached || kind === 'unknown'
    this.#slowProvider = isTrouble ? slowProvider : undefined
    this.#troubles = isTrouble ? this.#troubles + 1 : 0
    this.#unreached = kind === 'unsent' ? this.#unreached + 1 : 0
    if (isTrouble) this.#trouble = `${this.#name} takes no messages: ${reply}`
    else this.#nextRestMs = firstRestMs
    this.#isLastUnreached = isUnreached
    if (this.#troubles >= maxTroubles || this.#unreached >= maxUnreached) this.#takeRest()
  }

  /** A pass is over: a relay that its last message did not reach is left alone. */
  end(): void {
    if (this.#isLastUnreached && this.#slowProvider === undefined) this.#takeRest()
    this.#isLastUnreached = false
  }

  /** Leaves it alone for a while, for a reason that is more than its last answers. */
  leaveAlone(trouble: string): void {
    const now = this.#clock.now()
    this.#trouble = trouble
    this.#rest = { from: now, until: addMs(now, distrustMs) }
  }

  #takeRest(): void {
    if (this.isResting) return
    const now = this.#clock.now()
    this.#rest = { from: now, until: addMs(now, this.#nextRestMs) }
    this.#nextRestMs = Math.min(this.#nextRestMs * 2, maxRestMs)
  }
}
