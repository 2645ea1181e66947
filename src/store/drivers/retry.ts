import { msBetween, second, type WaitingClock } from '../../time/clock.ts'
import { storeErrorIn } from './failure.ts'

/** How long a command waits for a server to return. */
const maxOutageMs = 60 * second
const firstWaitMs = second / 2
const longestWaitMs = 8 * second

/**
 * Retries the work with growing waits, up to a minute, while the database server is unreachable or too busy. The work
 * must be repeatable, since it may have succeeded; a full disk and a lock fail at once.
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
