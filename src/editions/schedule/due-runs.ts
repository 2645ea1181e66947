import type { ScheduleChange } from '../../store/digests/digests.ts'
import type { Reason } from '../../store/events/reason.ts'
import { addMs, hour, type Instant, msBetween, parseDurationMs } from '../../time/clock.ts'
import type { Digest } from '../digest.ts'
import { type CalendarSkip, calendarRuns, withoutPause } from './calendar-runs.ts'
import { scheduledRuns } from './changed-schedules.ts'

/** Maximum number of runs per call; after a long outage, later calls return the rest. */
const maxRuns = 1000

/**
 * A run of the schedule that has begun. `skipped`: why the calendar leaves it out. Otherwise `missed` null: it must be
 * made; else it is why it was missed.
 */
export type DueRun = { dueAt: Instant; missed: Reason | null; skipped?: CalendarSkip }

/** How much earlier a subscriber's time may be than the digest's: from Pago Pago (−11) to Kiritimati (+14). */
const maxZoneLeadMs = 26 * hour

/** The longest time before its due time at which a run may be made, in milliseconds. */
function maxLeadMs({ localTime, lead }: Pick<Digest, 'localTime' | 'lead'>): number {
  return localTime ? maxZoneLeadMs + parseDurationMs(lead ?? '0m') : 0
}

/**
 * The runs after `decided` that began by `now`, oldest first; a run begins at `beginsAt`, by default its due time. Of the
 * runs late by at most `missed.within` only the newest is made, so that people do not get two emails at once; a run that
 * begins before its due time does not replace earlier ones. `changes` are the schedules over time, oldest first.
 */
export function dueRuns(
  digest: Digest,
  decided: Instant,
  now: Instant,
  beginsAt: (dueAt: Instant) => Instant = (dueAt) => dueAt,
  changes: ScheduleChange[] = [{ schedule: digest.schedule, zone: digest.zone, at: decided }],
): DueRun[] {
  const catchUpMs = parseDurationMs(digest.missed.within)
  const startedRuns = scheduledRuns(changes, decided, addMs(now, maxLeadMs(digest)), maxRuns + 1).filter(
    ({ dueAt }) => beginsAt(dueAt) <= now,
  )
  const newest = startedRuns.findLast(({ dueAt, skipped }) => skipped === null && dueAt <= now)?.dueAt
  return startedRuns.slice(0, maxRuns).map(({ dueAt, skipped }) => {
    if (skipped) return { dueAt, missed: null, skipped }
    const lateMs = msBetween(dueAt, now)
    if (lateMs > catchUpMs) {
      return { dueAt, missed: { code: 'missed-too-late', lateMs, within: digest.missed.within } }
    }
    const isMade = newest === undefined || dueAt > now || dueAt === newest
    return { dueAt, missed: isMade ? null : { code: 'missed-for-newer', newest } }
  })
}

/** The schedule in force at a due time. */
export function scheduleAt(changes: ScheduleChange[], dueAt: Instant): ScheduleChange | undefined {
  return changes.findLast(({ at }) => at < dueAt) ?? changes[0]
}

/** The runs, oldest first, without those followed by an edition made by hand before the next run. */
export function withoutServedRuns(runs: DueRun[], editionTimes: Instant[]): DueRun[] {
  return runs.filter(({ dueAt }, index) => {
    const next = runs[index + 1]?.dueAt
    return !editionTimes.some((at) => at > dueAt && (next === undefined || at < next))
  })
}

/** One reason for all missed runs; undefined if none was missed. */
export function missedReason(runs: DueRun[]): Reason | undefined {
  const missed = runs.filter((run) => run.missed !== null)
  const [first, last] = [missed[0], missed.at(-1)]
  if (!first || !last?.missed || missed.length === 1) return first?.missed ?? undefined
  return { code: 'missed-several', count: missed.length, first: first.dueAt, last: last.dueAt, newest: last.missed }
}

/**
 * The time between the first two runs at or after an instant, in milliseconds. Infinite for a schedule with fewer than two
 * runs left.
 */
export function periodMsAt(digest: Pick<Digest, 'schedule' | 'zone'>, at: Instant): number {
  const [one, next] = runsAfter(digest, addMs(at, -1), 2)
  return one === undefined || next === undefined ? Number.POSITIVE_INFINITY : msBetween(one, next)
}

/** Whether the schedule has a run at exactly that instant. */
export function isOnSchedule(digest: Pick<Digest, 'schedule' | 'zone'>, dueAt: Instant): boolean {
  return runsAfter(digest, addMs(dueAt, -1), 1)[0] === dueAt
}

/** The next runs after an instant that are made, at most `count`, not after `until`. */
export function runsAfter(
  digest: Pick<Digest, 'schedule' | 'zone'>,
  after: Instant,
  count: number,
  until?: Instant,
): Instant[] {
  const runs: Instant[] = []
  if (count < 1) return runs
  for (const { dueAt, skipped } of calendarRuns(digest, withoutPause(digest, after))) {
    if (until !== undefined && dueAt > until) break
    if (skipped === null) runs.push(dueAt)
    if (runs.length === count) break
  }
  return runs
}
