import type { Log } from '../log.ts'
import { minute } from '../time/clock.ts'
import { measureTaskTime, takeBusiestTask } from './task-time.ts'

const checkIntervalMs = 100
const maxDelayMs = 250
/** Between two log lines for a task. */
const repeatAfterMs = minute

type Delays = { count: number; worstMs: number; loggedAt: number }

/**
 * Warns when a task (see `runAsTask`) has blocked the event loop for more than 250 milliseconds: at once, then once a
 * minute for each task, with the count and the longest delay.
 */
export class EventLoopWatch {
  readonly #log: Log
  readonly #delays = new Map<string, Delays>()
  #lastCheckMs = 0
  #timer: NodeJS.Timeout | undefined
  #stopMeasuring = () => {}

  constructor(log: Log) {
    this.#log = log
  }

  start(): void {
    this.#stopMeasuring = measureTaskTime()
    this.#lastCheckMs = performance.now()
    this.#timer = setInterval(() => this.#check(), checkIntervalMs).unref()
  }

  /** Logs the delays that have not been logged yet. */
  stop(): void {
    clearInterval(this.#timer)
    this.#stopMeasuring()
    this.#report(Number.POSITIVE_INFINITY)
  }

  #check(): void {
    const now = performance.now()
    const delayMs = now - this.#lastCheckMs - checkIntervalMs
    this.#lastCheckMs = now
    const busiest = takeBusiestTask()
    if (delayMs > maxDelayMs) this.#count(causeName(busiest, delayMs), delayMs)
    this.#report(now)
  }

  #count(task: string, delayMs: number): void {
    const known = this.#delays.get(task)
    if (!known) this.#delays.set(task, { count: 1, worstMs: delayMs, loggedAt: Number.NEGATIVE_INFINITY })
    else {
      known.count++
      known.worstMs = Math.max(known.worstMs, delayMs)
    }
  }

  #report(now: number): void {
    for (const [task, delays] of this.#delays) {
      if (now - delays.loggedAt < repeatAfterMs) continue
      if (delays.count === 0) {
        this.#delays.delete(task)
        continue
      }
      const fields = { task, count: delays.count, worstMs: Math.round(delays.worstMs) }
      this.#log.warn({ event: 'event_loop.delayed', ...fields }, 'a task blocked the event loop')
      Object.assign(delays, { count: 0, worstMs: 0, loggedAt: now })
    }
  }
}

/** The busiest task, if it was busy for at least half of the delay. */
function causeName(busiest: { name: string; ms: number } | undefined, delayMs: number): string {
  return busiest && busiest.ms >= delayMs / 2 ? busiest.name : 'none: this machine was busy or asleep'
}
