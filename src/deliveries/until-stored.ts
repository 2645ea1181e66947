import { messageOf } from '../errors.ts'
import { isStoreUnavailable } from '../store/drivers/failure.ts'
import { minute, second, type WaitingClock } from '../time/clock.ts'

export type StoreWait = {
  clock: WaitingClock
  /** The process is asked to stop: the store is waited for a little longer, and no more. */
  signal?: AbortSignal | undefined
  /** Told once each time that the store goes away. */
  onStoreAway?: ((reason: string) => void) | undefined
  /** Told when it is back. */
  onStoreBack?: (() => void) | undefined
}

const firstRetryMs = 100
const maxRetryMs = 5 * second
/** How long a store that is away is waited for. */
const maxAwayMs = 60 * minute
/** The same once the process is asked to stop. */
const stopPatienceMs = 10 * second

/**
 * Does the work again, with backoff, for as long as the store is away; `isRetry` says that it may have been done before.
 * What is no fault of the store, or lasts for an hour, is thrown.
 */
export async function untilStored<T>(
  { clock, signal, onStoreAway, onStoreBack }: StoreWait,
  work: (isRetry: boolean) => Promise<T>,
): Promise<T> {
  let waitMs = firstRetryMs
  let awayMs = 0
  const isToRetry = (error: unknown) =>
    isStoreUnavailable(error) && awayMs < (signal?.aborted ? stopPatienceMs : maxAwayMs)
  for (;;) {
    try {
      const done = await work(awayMs > 0)
      if (awayMs > 0) onStoreBack?.()
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
