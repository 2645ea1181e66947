import { msBetween, second, type WaitingClock } from '../../time/clock.ts'
import { storeErrorIn } from './failure.ts'

/** How long a server may take to come back before a command gives up. */
const maxOutageMs = 60 * second
const firstWaitMs = second / 2
const longestWaitMs = 8 * second

/**
 * Does the work again, after growing waits, while the database server cannot be reached or is too busy; for at most a
 * minute. The work may have been done although it failed, so it must be one that can be done twice. A full disk does not
 * empty itself, and a lock was waited for already: those fail at once.
 */
export async function retryWhileUnreachable<T>(clock: WaitingClock, work: () => Promise<T>): Promise<T> {
  const since = clock.now()
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      return await work()
    } catch (error) {
      const kind = storeErrorIn(error)?.kind
      const mayPass = kind === 'unreachable' || kind === 'busy'
      if (!mayPass || msBetween(since, clock.now()) >= maxOutageMs) throw error
    }
    await clock.wait(waitMs)
  }
}
