import type { EditionRow } from '../../store/schema.ts'
import type { Instant } from '../../time/clock.ts'
import type { Digest } from '../digest.ts'
import { isOnSchedule } from './due-runs.ts'

/** By which clocks an edition goes out: `localTime` by those of its subscribers, at the hour that clocks in `zone` show at its due time. */
export type Timing = { localTime: boolean; zone: string }

/** What is kept with an edition when it is made. One that is made by hand, and not by the schedule, goes to all at once. */
export function timingJson({ localTime, schedule, zone }: TimedDigest, dueAt: Instant): string {
  const timing: Timing = { localTime: localTime === true && isOnSchedule({ schedule, zone }, dueAt), zone }
  return JSON.stringify(timing)
}

/** As it was when the edition was made, whatever the job file says today; by that, for an edition made before this was kept. */
export function readTiming({ timing, dueAt }: Pick<EditionRow, 'timing' | 'dueAt'>, digest: TimedDigest): Timing {
  return JSON.parse(timing ?? timingJson(digest, dueAt))
}

type TimedDigest = Pick<Digest, 'localTime' | 'schedule' | 'zone'>
