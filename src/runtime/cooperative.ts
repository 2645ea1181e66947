import { yieldToEventLoop } from '../time/clock.ts'

/** Long work in small steps: what lies between two `yield`s has a fixed upper bound. Its value is the result. */
export type Steps<T> = Generator<void, T, void>

/** After so much work in a row the event loop has its turn. */
const maxRunMs = 10

/** Runs the steps to their end without a pause; for a caller that knows that they are few. */
export function runToEnd<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/**
 * Runs the steps, and gives the event loop back whenever they have held it for ten milliseconds. Rejects with whatever a
 * step throws.
 */
export async function runCooperatively<T>(steps: Steps<T>): Promise<T> {
  let start = performance.now()
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    if (performance.now() - start < maxRunMs) continue
    await yieldToEventLoop()
    start = performance.now()
  }
}
