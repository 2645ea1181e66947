/** Lets tests wait for a number that grows. */
export type Counter = {
  /** To be called whenever the number may have grown. */
  changed(): void
  /** Resolves when the number has grown to `count`. */
  reaches(count: number): Promise<void>
}

export function openCounter(now: () => number): Counter {
  let waiting: { count: number; resolve: () => void }[] = []
  return {
    changed() {
      const reached = waiting.filter(({ count }) => now() >= count)
      waiting = waiting.filter(({ count }) => now() < count)
      for (const { resolve } of reached) resolve()
    },
    reaches: (count) =>
      now() >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve })),
  }
}
