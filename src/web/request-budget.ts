import { addMs, type Clock, type Instant } from '../time/clock.ts'

/** Counts the requests of each key within a sliding window of `windowMs`, in the memory of this process. */
export class RequestBudget {
  readonly #clock: Clock
  readonly #max: number
  readonly #windowMs: number
  readonly #requests = new Map<string, Instant[]>()

  constructor(clock: Clock, { max, windowMs }: { max: number; windowMs: number }) {
    this.#clock = clock
    this.#max = max
    this.#windowMs = windowMs
  }

  /** Counts a request; false, without counting it, if the key has used up its budget. */
  take(key: string): boolean {
    const now = this.#clock.now()
    const from = addMs(now, -this.#windowMs)
    for (const [other, times] of this.#requests) {
      const recent = times.filter((at) => at > from && at <= now)
      if (recent.length > 0) this.#requests.set(other, recent)
      else this.#requests.delete(other)
    }
    const times = this.#requests.get(key) ?? []
    if (times.length >= this.#max) return false
    this.#requests.set(key, [...times, now])
    return true
  }
}
