import type { SendResult } from '../../mail/smtp/result.ts'
import { addMs, type Clock, type Instant, minute, second } from '../../time/clock.ts'

/** After this many messages in a row that did not get through the relay is down … */
const maxTroubles = 10
/** … or after this many connections in a row that could not be opened. */
const maxUnreached = 3
/** A relay that is down is paused, each time twice as long. */
const firstPauseMs = 15 * second
const maxPauseMs = 10 * minute
/** One whose answers are not believed is paused for longer: only a person will mend it. */
const distrustMs = 30 * minute

/** Whether a relay takes messages; one that does not is paused, with the reason. */
export class RelayHealth {
  readonly #clock: Clock
  readonly #name: string
  #troubles = 0
  #unreached = 0
  /** The provider that complained last of our pace, if that was the last trouble. */
  #slowProvider: string | undefined
  #pause: { from: Instant; until: Instant } | undefined
  #nextPauseMs = firstPauseMs
  #trouble = ''
  /** The last message did not reach it. */
  #isLastUnreached = false

  /** `name` is what sentences call it: "the relay", "the relay second". */
  constructor(clock: Clock, name: string) {
    this.#clock = clock
    this.#name = name
  }

  /** A clock that was set back ends the pause. */
  get isPaused(): boolean {
    if (!this.#pause) return false
    const now = this.#clock.now()
    return this.#pause.from <= now && now < this.#pause.until
  }

  get pausedUntil(): Instant {
    return this.#pause?.until ?? ''
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
  recordResult({ kind, reply }: SendResult, slowProvider: string | undefined): void {
    const isUnreached = kind === 'unsent' || kind === 'cut'
    if (isUnreached && slowProvider !== undefined && slowProvider === this.#slowProvider) return // it counts once, however often it complains
    const isTrouble = isUnreached || kind === 'unknown'
    this.#slowProvider = isTrouble ? slowProvider : undefined
    this.#troubles = isTrouble ? this.#troubles + 1 : 0
    this.#unreached = kind === 'unsent' ? this.#unreached + 1 : 0
    if (isTrouble) this.#trouble = `${this.#name} takes no messages: ${reply}`
    else this.#nextPauseMs = firstPauseMs
    this.#isLastUnreached = isUnreached
    if (this.#troubles >= maxTroubles || this.#unreached >= maxUnreached) this.#pauseAfterTrouble()
  }

  /** A pass is over: a relay that its last message did not reach is paused. */
  end(): void {
    if (this.#isLastUnreached && this.#slowProvider === undefined) this.#pauseAfterTrouble()
    this.#isLastUnreached = false
  }

  /** Pauses it for half an hour: its answers are not believed. */
  distrust(trouble: string): void {
    const now = this.#clock.now()
    this.#trouble = trouble
    this.#pause = { from: now, until: addMs(now, distrustMs) }
  }

  #pauseAfterTrouble(): void {
    if (this.isPaused) return
    const now = this.#clock.now()
    this.#pause = { from: now, until: addMs(now, this.#nextPauseMs) }
    this.#nextPauseMs = Math.min(this.#nextPauseMs * 2, maxPauseMs)
  }
}
