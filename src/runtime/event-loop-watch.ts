import type { Log } from '../log.ts'
import { minute } from '../time/clock.ts'
import { measureTaskTime, takeBusiestTask } from './task-time.ts'

const checkIntervalMs = 100
const maxDelayMs = 250
/** Of one task there is a line a minute at most. */
const repeatAfterMs = minute

type Delays = { count: number; worstMs: number; loggedAt: number }

/**
 * Warns when something has held the event loop for more than 250 milliseconds, and names the task (see `runAs`): at once,
 * and then once a minute and task with how often it happened and the worst, in milliseconds.
 */
export class EventLoopWatch {
  readonly #log: Log
  readonly #delays = new Map<string, Delays>()
  #lastLook = 0
  #timer: NodeJS.Timeout | undefined
  #stopMeasuring = () => {}

  constructor(log: Log) {
    this.#log = log
  }

  start(): void {
    this.#stopMeasuring = measureTaskTime()
    this.#lastLook = performance.now()
    this.#timer = setInterval(() => this.#look(), checkIntervalMs).unref()
  }

  /** Says what has not been said yet. */
  stop(): void {
    clearInterval(this.#timer)
    this.#stopMeasuring()
    this.#report(Number.POSITIVE_INFINITY)
  }

  #look(): void {
    const now = performance.now()
    const delayMs = now - this.#lastLook - checkIntervalMs
    this.#lastLook = now
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
      this.#log.warn({ event: 'event_loop.delayed', ...fields }, 'a task held up everything else in this process')
      Object.assign(delays, { count: 0, worstMs: 0, loggedAt: now })
    }
  }
}

/** A task that was busy for less than half of the delay is not what caused it. */
function causeName(busiest: { name: string; ms: number } | undefined, delayMs: number): string {
  return busiest && busiest.ms >= delayMs / 2 ? busiest.name : 'none: this machine was busy or asleep'
}
