import type { Schedule } from '../../store/digests/digests.ts'
import type { Instant } from '../../time/clock.ts'
import type { Digest } from '../digest.ts'

/** When this process loaded each digest's schedule, and which schedules of other processes were logged. */
export class LoadedSchedules {
  readonly #read = new Map<string, { text: string; at: Instant }>()
  readonly #reported = new Map<string, string>()
  #openedAt: Instant | undefined

  /** Records that the process loaded these digests. An unchanged schedule keeps its earlier load time. */
  recordLoaded(digests: Digest[], now: Instant): void {
    this.#openedAt ??= now
    for (const { name, schedule, zone } of digests) {
      const text = `${schedule} ${zone}`
      if (this.#read.get(name)?.text !== text) this.#read.set(name, { text, at: now })
    }
  }

  /** Whether this process was started before the instant. */
  isRunningSince(instant: Instant): boolean {
    return this.#openedAt !== undefined && this.#openedAt < instant
  }

  /** Forgets the schedule of a digest whose job file was removed; if the file returns, its schedule counts as new. */
  remove(name: string): void {
    this.#read.delete(name)
  }

  /** When the schedule was loaded; undefined if this process does not use it. A load time after `now` becomes `now`. */
  loadedAt({ name, schedule, zone }: Digest, now: Instant): Instant | undefined {
    if (this.#openedAt !== undefined && this.#openedAt > now) this.#openedAt = now
    const known = this.#read.get(name)
    if (known?.text !== `${schedule} ${zone}`) return undefined
    if (known.at > now) known.at = now
    return known.at
  }

  /** Whether another process's schedule is not logged yet; a further call with the same schedule returns false. */
  isUnreported(name: string, { schedule, zone }: Schedule): boolean {
    const text = `${schedule} ${zone}`
    if (this.#reported.get(name) === text) return false
    this.#reported.set(name, text)
    return true
  }
}
