import { yieldToEventLoop } from '../time/clock.ts'

/** Long work in steps with a bounded time between two `yield`s; the return value is the result. */
export type Steps<T> = Generator<void, T, void>

/** The longest run before other work of the event loop. */
const maxRunMs = 10

/** Runs all steps without a pause, for work with few steps. */
export function runToEnd<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** Runs the steps, and yields to the event loop every ten milliseconds. Rejects with the error of a step. */
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
