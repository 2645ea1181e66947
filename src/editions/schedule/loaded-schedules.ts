import type { Schedule } from '../../store/digests/digests.ts'
import type { Instant } from '../../time/clock.ts'
import type { Digest } from '../digest.ts'

/** Since when this process has the schedule of each digest, and which other schedules the log was told of. */
export class LoadedSchedules {
  readonly #read = new Map<string, { text: string; at: Instant }>()
  readonly #told = new Map<string, string>()
  #openedAt: Instant | undefined

  /** The process has read these digests. One whose schedule it had before counts from then. */
  recordLoaded(digests: Digest[], now: Instant): void {
    this.#openedAt ??= now
    for (const { name, schedule, zone } of digests) {
      const text = `${schedule} ${zone}`
      if (this.#read.get(name)?.text !== text) this.#read.set(name, { text, at: now })
    }
  }

  /** Whether this process has been there since before an instant. */
  isRunningSince(instant: Instant): boolean {
    return this.#openedAt !== undefined && this.#openedAt < instant
  }

  /** The job file of the digest is away: when it is back its schedule is a new one. */
  remove(name: string): void {
    this.#read.delete(name)
  }

  /** Undefined for a schedule that this process does not go by any more. A clock that was set back since has read it now. */
  loadedAt({ name, schedule, zone }: Digest, now: Instant): Instant | undefined {
    if (this.#openedAt !== undefined && this.#openedAt > now) this.#openedAt = now
    const known = this.#read.get(name)
    if (known?.text !== `${schedule} ${zone}`) return undefined
    if (known.at > now) known.at = now
    return known.at
  }

  /** Whether the log has not heard yet that another process goes by this schedule. */
  isUnreported(name: string, { schedule, zone }: Schedule): boolean {
    const text = `${schedule} ${zone}`
    if (this.#told.get(name) === text) return false
    this.#told.set(name, text)
    return true
  }
}
