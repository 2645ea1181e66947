import { between, second, type WaitingClock } from '../clock.ts'

/** At most so many a second. */
export type Rate = {
  /** Waits until one more may go; false: the signal fired first. */
  take(signal?: AbortSignal): true | Promise<boolean>
  /** One that was taken did not go after all. */
  giveBack(): void
  /** From now on so many a second. */
  set(perSecond: number): void
}

/** What a pause saves up: with the tokens of a whole second twice as many would go in the next. */
const mostSaved = 0.1

/** A token bucket that holds the tokens of a tenth of a second, and one at least. */
export function openRate(clock: WaitingClock, perSecond: number): Rate {
  let rate = perSecond
  const most = () => Math.max(1, rate * mostSaved)
  let tokens = most()
  let at = clock.now()
  let queue: Promise<unknown> = Promise.resolve()
  let waiting = 0

  function takeNow(): boolean {
    const now = clock.now()
    tokens = Math.min(most(), tokens + (rate * Math.max(0, between(at, now))) / second)
    at = now
    if (tokens < 1) return false
    tokens -= 1
    return true
  }

  async function takeInTime(signal: AbortSignal | undefined): Promise<boolean> {
    while (!signal?.aborted) {
      if (takeNow()) return true
      await clock.wait(Math.max(1, Math.ceil(((1 - tokens) / rate) * second)), signal)
    }
    return false
  }

  return {
    take(signal) {
      if (waiting === 0 && takeNow()) return true
      waiting += 1
      const taken = queue.then(() => takeInTime(signal)).finally(() => (waiting -= 1))
      queue = taken.catch(() => {})
      return taken
    },
    giveBack() {
      tokens = Math.min(most(), tokens + 1)
    },
    set(value) {
      rate = value
    },
  }
}
