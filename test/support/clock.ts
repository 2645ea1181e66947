import { addMs, type Instant, type WaitingClock } from '../../src/time/clock.ts'

export type FakeClock = WaitingClock & { set(instant: Instant): void; advance(milliseconds: number): void }

/** A clock that stands until a test moves it, or somebody waits by it: that takes no time. */
export function fakeClock(start: Instant = '2026-11-27T07:00:00.000Z'): FakeClock {
  let now = start
  return {
    now: () => now,
    async wait(milliseconds) {
      now = addMs(now, milliseconds)
    },
    set(instant) {
      now = instant
    },
    advance(milliseconds) {
      now = addMs(now, milliseconds)
    },
  }
}
