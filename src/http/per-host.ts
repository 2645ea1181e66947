export type PerHostLimits<T> = {
  maxParallel: number
  maxPerHost: number
  hostFor(item: T): string
}

/** Items read ahead, so that a slow host does not delay the others. */
const maxWaiting = 256

/**
 * Runs `work` for every item of a source of any length, at most `maxPerHost` of a host at a time. After an error no more
 * work starts; the running work ends, then the first error is thrown.
 */
export async function forEachPerHost<T>(
  source: AsyncIterable<T> | Iterable<T>,
  { maxParallel, maxPerHost, hostFor }: PerHostLimits<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting: { item: T; host: string }[] = []
  const runningPerHost = new Map<string, number>()
  const running = new Set<Promise<void>>()
  const errors: unknown[] = []
  const start = (item: T, host: string): void => {
    runningPerHost.set(host, (runningPerHost.get(host) ?? 0) + 1)
    const task = runCollectingErrors(work, item, errors).finally(() => {
      running.delete(task)
      const left = (runningPerHost.get(host) ?? 1) - 1
      if (left > 0) runningPerHost.set(host, left)
      else runningPerHost.delete(host)
    })
    running.add(task)
  }
  const startAllowed = (): void => {
    for (let at = 0; at < waiting.length && running.size < maxParallel && errors.length === 0; ) {
      const { item, host } = waiting[at] as { item: T; host: string }
      if ((runningPerHost.get(host) ?? 0) >= maxPerHost) at++
      else {
        waiting.splice(at, 1)
        start(item, host)
      }
    }
  }
  for await (const item of source) {
    if (errors.length > 0) break
    waiting.push({ item, host: hostFor(item) })
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
