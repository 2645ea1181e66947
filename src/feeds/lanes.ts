export type Lanes<T> = {
  /** In all. */
  atOnce: number
  /** Of those that share a lane. */
  perLane: number
  laneOf(item: T): string
}

/** As many wait in memory, so that one slow lane does not hold the others up. */
const waitingRoom = 256

/**
 * Does the work for every item of a source of any length, many at once but few of one lane. The source is read as places
 * become free. Work that throws ends it: nothing new is begun, what is under way is waited for, and then it throws.
 */
export async function inLanes<T>(
  source: AsyncIterable<T> | Iterable<T>,
  { atOnce, perLane, laneOf }: Lanes<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const waiting: { item: T; lane: string }[] = []
  const busy = new Map<string, number>()
  const running = new Set<Promise<void>>()
  const errors: unknown[] = []
  const start = (item: T, lane: string): void => {
    busy.set(lane, (busy.get(lane) ?? 0) + 1)
    const task = run(work, item, errors).finally(() => {
      running.delete(task)
      const left = (busy.get(lane) ?? 1) - 1
      if (left > 0) busy.set(lane, left)
      else busy.delete(lane)
    })
    running.add(task)
  }
  const startWhatMay = (): void => {
    for (let at = 0; at < waiting.length && running.size < atOnce && errors.length === 0; ) {
      const { item, lane } = waiting[at] as { item: T; lane: string }
      if ((busy.get(lane) ?? 0) >= perLane) at++
      else {
        waiting.splice(at, 1)
        start(item, lane)
      }
    }
  }
  for await (const item of source) {
    if (errors.length > 0) break
    waiting.push({ item, lane: laneOf(item) })
    startWhatMay()
    while (running.size > 0 && (waiting.length >= waitingRoom || (running.size >= atOnce && waiting.length > 0))) {
      await Promise.race(running)
      startWhatMay()
    }
  }
  while (running.size > 0) {
    await Promise.race(running)
    startWhatMay()
  }
  if (errors.length > 0) throw errors[0]
}

async function run<T>(work: (item: T) => Promise<void>, item: T, errors: unknown[]): Promise<void> {
  try {
    await work(item)
  } catch (error) {
    errors.push(error)
  }
}
