import { yieldToEventLoop } from '../time/clock.ts'

/** Fetches, waits for a free place, then runs the work on the result. */
export type Semaphore = <Fetched, Done>(
  fetch: () => Promise<Fetched>,
  work: (fetched: Fetched) => Promise<Done>,
) => Promise<Done>

/**
 * At most `maxRunning` tasks work at the same time, in the order of their results, each started in a separate turn of the
 * event loop. While `maxPrefetched` results wait, no other task fetches, which bounds memory.
 */
export function openSemaphore(maxRunning: number, maxPrefetched: number): Semaphore {
  const waitingToRun: (() => void)[] = []
  const waitingToFetch: (() => void)[] = []
  let running = 0
  let lastStart: Promise<unknown> = Promise.resolve()
  const admitNext = () => {
    if (waitingToRun.length < maxPrefetched) waitingToFetch.shift()?.()
  }

  return async (fetch, work) => {
    while (waitingToRun.length >= maxPrefetched) await new Promise<void>((resolve) => waitingToFetch.push(resolve))
    const result = await fetch().catch((error) => {
      admitNext()
      throw error
    })
    if (running < maxRunning) running++
    else await new Promise<void>((resolve) => waitingToRun.push(resolve)) // the task that ends passes its place on
    lastStart = lastStart.then(yieldToEventLoop)
    await lastStart
    try {
      return await work(result)
    } finally {
      const next = waitingToRun.shift()
      if (next) next()
      else running--
      admitNext()
    }
  }
}
