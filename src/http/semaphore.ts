/** Fetches ahead of time, and then does the work on what came when its turn has come. */
export type Semaphore = <Fetched, Done>(
  fetch: () => Promise<Fetched>,
  work: (fetched: Fetched) => Promise<Done>,
) => Promise<Done>

/**
 * Lets no more than `atOnce` of many tasks work at the same time, in the order in which they come, and begins each in a
 * turn of the event loop of its own: what they do without waiting never adds up. While `ahead` have fetched and wait, no
 * other fetches: memory holds what is worked on, not what the network can bring.
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
    else await new Promise<void>((resolve) => waitingToRun.push(resolve)) // whoever ends hands its place on
    lastStart = lastStart.then(() => new Promise((resolve) => setImmediate(resolve)))
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
