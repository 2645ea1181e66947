export type PerHostLimits<T> = {
  /** In all. */
  maxParallel: number
  /** Of those that share a lane. */
  maxPerHost: number
  hostFor(item: T): string
}

/** As many wait in memory, so that one slow lane does not hold the others up. */
const maxWaiting = 256

/**
 * Does the work for every item of a source of any length, many at once but few of one lane. The source is read as places
 * become free. Work that throws ends it: nothing new is begun, what is under way is waited for, and then it throws.
 */
export async function forEachPerHost<T>(
  source: AsyncIterable<T> | Iterable<T>,
  { maxParallel, maxPerHost, hostFor }: PerHostLimits<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting: { item: T; lane: string }[] = []
  const runningPerHost = new Map<string, number>()
  const running = new Set<Promise<void>>()
  const errors: unknown[] = []
  const start = (item: T, lane: string): void => {
    runningPerHost.set(lane, (runningPerHost.get(lane) ?? 0) + 1)
    const task = runCollectingErrors(work, item, errors).finally(() => {
      running.delete(task)
      const left = (runningPerHost.get(lane) ?? 1) - 1
      if (left > 0) runningPerHost.set(lane, left)
      else runningPerHost.delete(lane)
    })
    running.add(task)
  }
  const startAllowed = (): void => {
    for (let at = 0; at < waiting.length && running.size < maxParallel && errors.length === 0; ) {
      const { item, lane } = waiting[at] as { item: T; lane: string }
      if ((runningPerHost.get(lane) ?? 0) >= maxPerHost) at++
      else {
        waiting.splice(at, 1)
        start(item, lane)
      }
    }
  }
  for await (const item of source) {
    if (errors.length > 0) break
    waiting.push({ item, lane: hostFor(item) })
    startAllowed()
    while (running.size > 0 && (waiting.length >= maxWaiting || (running.size >= maxParallel && waiting.length > 0))) {
      await Promise.race(running)
      startAllowed()
    }
  }
  while (running.size > 0) {
    await Promise.race(running)
    startAllowed()
  }
  if (errors.length > 0) throw errors[0]
}

async function runCollectingErrors<T>(work: (item: T) => Promise<void>, item: T, errors: unknown[]): Promise<void> {
  try {
    await work(item)
  } catch (error) {
    errors.push(error)
  }
}
