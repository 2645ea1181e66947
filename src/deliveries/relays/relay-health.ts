import { answerOf, type SendResult } from '../../mail/smtp/result.ts'
import type { Reason } from '../../store/events/reason.ts'
import { addMs, type Clock, type Instant, minute, second } from '../../time/clock.ts'

/** The relay is down after this many failed messages in a row … */
const maxTroubles = 10
/** … or after this many failed connection attempts in a row. */
const maxUnreached = 3
/** A relay that is down is paused, twice as long each time until it answers a message. */
const firstPauseMs = 15 * second
const maxPauseMs = 10 * minute
/** A relay whose replies are not trusted is paused for longer: only a person can repair it. */
const distrustMs = 30 * minute

/** Whether a relay takes messages; if not, it is paused, with the reason. */
export class RelayHealth {
  readonly #clock: Clock
  readonly #relay: string | null
  #troubles = 0
  #unreached = 0
  /** The provider that last complained about our rate, if that was the last problem. */
  #slowProvider: string | undefined
  #pause: { from: Instant; until: Instant } | undefined
  #nextPauseMs = firstPauseMs
  #trouble: Reason | undefined
  /** Whether the last message did not reach the relay. */
  #isLastUnreached = false

  /** `relay`: its name, null where there is only one. */
  constructor(clock: Clock, relay: string | null) {
    this.#clock = clock
    this.#relay = relay
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

  /** Why the relay is paused. */
  get trouble(): Reason | undefined {
    return this.#trouble
  }

  /** Begins a pass: earlier failures no longer count, but a pause stays. */
  begin(): void {
    this.#troubles = 0
    this.#unreached = 0
  }

  /** Records the result of a message. `slowProvider` is the mail provider that complained about our rate, if any. */
  recordResult(result: SendResult, slowProvider: string | undefined): void {
    const { kind } = result
    const isUnreached = kind === 'unsent' || kind === 'cut'
    if (isUnreached && slowProvider !== undefined && slowProvider === this.#slowProvider) return // repeated complaints count once
    const isTrouble = isUnreached || kind === 'unknown'
    this.#slowProvider = isTrouble ? slowProvider : undefined
    this.#troubles = isTrouble ? this.#troubles + 1 : 0
    this.#unreached = kind === 'unsent' ? this.#unreached + 1 : 0
    if (isTrouble) this.#trouble = { code: 'relay-down', relay: this.#relay, reply: answerOf(result) }
    else this.#nextPauseMs = firstPauseMs
    this.#isLastUnreached = isUnreached
    if (this.#troubles >= maxTroubles || this.#unreached >= maxUnreached) this.#pauseAfterTrouble()
  }

  /** Ends a pass: pauses the relay if its last message did not reach it, unless that was a complaint about our rate. */
  end(): void {
    if (this.#isLastUnreached && this.#slowProvider === undefined) this.#pauseAfterTrouble()
    this.#isLastUnreached = false
  }

  /** Pauses the relay for half an hour, because its replies are not trusted. */
  distrust(trouble: Reason): void {
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
