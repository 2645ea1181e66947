import { second } from '../time/clock.ts'

/** Two clocks read at the same time, in milliseconds: the wall clock, which may be set, and one that only goes on. */
export type ClockReading = { wall: number; monotonic: number }

/** Why timers that were set by the wall clock have to be set anew. */
export type Disturbance = { kind: 'step'; byMs: number } | { kind: 'silence'; forMs: number }

/** A clock that is disciplined (NTP) runs faster or slower by 0.05 % at most: more than this is a step. */
const maxDriftMs = second
/** The most frequent task comes every five seconds. */
const maxSilenceMs = 30 * second

export function readClocks(): ClockReading {
  return { wall: Date.now(), monotonic: performance.now() }
}

/**
 * Notices that the wall clock was set, or that the machine slept, or that timers stopped coming. A timer that was
 * computed from the wall clock is wrong after that: by a clock set back an hour it comes an hour late.
 */
export class ClockWatch {
  readonly #read: () => ClockReading
  #last: ClockReading
  #tickAt: number

  constructor(read: () => ClockReading = readClocks) {
    this.#read = read
    this.#last = read()
    this.#tickAt = this.#last.monotonic
  }

  /** A timer came. */
  tick(): void {
    this.#tickAt = this.#read().monotonic
  }

  /** What happened since the last look; undefined if nothing did. */
  check(): Disturbance | undefined {
    const now = this.#read()
    const byMs = now.wall - this.#last.wall - (now.monotonic - this.#last.monotonic)
    const forMs = now.monotonic - this.#tickAt
    this.#last = now
    if (Math.abs(byMs) > maxDriftMs) return this.#found({ kind: 'step', byMs: Math.round(byMs) })
    return forMs > maxSilenceMs ? this.#found({ kind: 'silence', forMs: Math.round(forMs) }) : undefined
  }

  #found(disturbance: Disturbance): Disturbance {
    this.#tickAt = this.#last.monotonic
    return disturbance
  }
}
