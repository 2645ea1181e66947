import type { EditionRow } from '../../store/schema.ts'
import type { Instant } from '../../time/clock.ts'
import type { Digest } from '../digest.ts'
import { isOnSchedule } from './due-runs.ts'

/** The time zones by which an edition is sent. `localTime`: each subscriber's, at the wall-clock time of `dueAt` in `zone`. */
export type Timing = { localTime: boolean; zone: string }

/** The timing to store with a new edition, as JSON. An edition made by hand, off the schedule, is sent to all at once. */
export function timingJson({ localTime, schedule, zone }: TimedDigest, dueAt: Instant): string {
  const timing: Timing = { localTime: localTime === true && isOnSchedule({ schedule, zone }, dueAt), zone }
  return JSON.stringify(timing)
}

/** The timing stored with the edition, or the digest's current one for older editions that have none. */
export function readTiming({ timing, dueAt }: Pick<EditionRow, 'timing' | 'dueAt'>, digest: TimedDigest): Timing {
  return JSON.parse(timing ?? timingJson(digest, dueAt))
}

type TimedDigest = Pick<Digest, 'localTime' | 'schedule' | 'zone'>
