import { second } from '../time/clock.ts'

/** Two clocks read at the same time, in milliseconds: the wall clock, which can be set, and a monotonic clock. */
export type ClockReading = { wall: number; monotonic: number }

/** Why wall-clock timers must be set again: the wall clock was stepped, or no timer fired for a while. */
export type Disturbance = { kind: 'step'; byMs: number } | { kind: 'silence'; forMs: number }

/** NTP slews a clock by at most 0.05 %, so a difference of more than one second between two checks is a step. */
const maxDriftMs = second
/** The most frequent timer fires every five seconds. */
const maxSilenceMs = 30 * second

function readClocks(): ClockReading {
  return { wall: Date.now(), monotonic: performance.now() }
}

/**
 * Detects that the wall clock was set, the machine slept, or timers stopped firing. After that, timers computed from the
 * wall clock are wrong: if the clock is set back an hour, they fire an hour late.
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

  /** Records that a timer fired. */
  tick(): void {
    this.#tickAt = this.#read().monotonic
  }

  /** The disturbance since the last check, or undefined. */
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
