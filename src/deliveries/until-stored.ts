import { messageOf } from '../errors.ts'
import { isStoreUnavailable } from '../store/drivers/failure.ts'
import { minute, second, type WaitingClock } from '../time/clock.ts'

export type StoreWait = {
  clock: WaitingClock
  /** The process is stopping: the wait for the store is shortened. */
  signal?: AbortSignal | undefined
  /** Called once each time the store becomes unavailable. */
  onStoreAway?: ((reason: string) => void) | undefined
  /** Called when the store is back, with the length of the outage. */
  onStoreBack?: ((awayMs: number) => void) | undefined
}

const firstRetryMs = 100
const maxRetryMs = 5 * second
/** How long to wait for an unavailable store. */
const maxAwayMs = 60 * minute
/** The same while the process is stopping. */
const maxAwayStoppingMs = 10 * second

/**
 * Repeats the work with backoff while the store is unavailable; `isRetry`: the work may already have been done. Throws
 * other errors at once, and store errors after an hour.
 */
export async function untilStored<T>(
  { clock, signal, onStoreAway, onStoreBack }: StoreWait,
  work: (isRetry: boolean) => Promise<T>,
): Promise<T> {
  let waitMs = firstRetryMs
  let awayMs = 0
  const isToRetry = (error: unknown) =>
    isStoreUnavailable(error) && awayMs < (signal?.aborted ? maxAwayStoppingMs : maxAwayMs)
  for (;;) {
    try {
      const done = await work(awayMs > 0)
      if (awayMs > 0) onStoreBack?.(awayMs)
      return done
    } catch (error) {
      if (!isToRetry(error)) throw error
      if (awayMs === 0) onStoreAway?.(messageOf(error))
      await clock.wait(waitMs)
      awayMs += waitMs
      waitMs = Math.min(waitMs * 2, maxRetryMs)
    }
  }
}
