import { type Clock, type Instant, later } from '../../src/clock.ts'

export type FakeClock = Clock & { set(instant: Instant): void; advance(milliseconds: number): void }

/** A clock that stands until a test moves it. */
export function fakeClock(start: Instant = '2026-11-27T07:00:00.000Z'): FakeClock {
  let now = start
  return {
    now: () => now,
    set(instant) {
      now = instant
    },
    advance(milliseconds) {
      now = later(now, milliseconds)
    },
  }
}
