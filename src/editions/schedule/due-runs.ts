import { Cron } from 'croner'
import type { ScheduleChange } from '../../store/digests/digests.ts'
import type { Reason } from '../../store/events/reason.ts'
import { addMs, hour, type Instant, msBetween, parseDurationMs, toInstant } from '../../time/clock.ts'
import type { Digest } from '../digest.ts'

/** At a time, after a long outage; the rest next time. */
const maxRuns = 1000

/** A run that the timetable owes: to be made, or missed, with the reason. */
export type DueRun = { dueAt: Instant; missed: Reason | null }

/** A subscriber's hour may come so much earlier than the digest's own: from Pago Pago (−11) to Kiritimati (+14). */
const maxZoneLeadMs = 26 * hour

/** How long before its due time a run of the digest may be made, in milliseconds. */
function maxLeadMs({ localTime, lead }: Pick<Digest, 'localTime' | 'lead'>): number {
  return localTime ? maxZoneLeadMs + parseDurationMs(lead ?? '0m') : 0
}

/**
 * The runs after `decided` that have begun by `now`, oldest first: they begin when they are due, or at `beginsAt`. One
 * missed by no more than `missed.within` is made up for; of several such only the newest is, since one letter is better
 * than two at once. A run that has begun before its due time replaces none: its readers have not got it yet. Each run is
 * one of the schedule that counted then, by `changes`, the oldest first.
 */
export function dueRuns(
  digest: Digest,
  decided: Instant,
  now: Instant,
  beginsAt: (dueAt: Instant) => Instant = (dueAt) => dueAt,
  changes: ScheduleChange[] = [{ schedule: digest.schedule, zone: digest.zone, at: decided }],
): DueRun[] {
  const catchUpMs = parseDurationMs(digest.missed.within)
  const startedRuns = scheduledRuns(changes, decided, addMs(now, maxLeadMs(digest))).filter(
    (dueAt) => beginsAt(dueAt) <= now,
  )
  const newest = startedRuns.findLast((dueAt) => dueAt <= now)
  return startedRuns.slice(0, maxRuns).map((dueAt) => {
    const lateMs = msBetween(dueAt, now)
    if (lateMs > catchUpMs) {
      return { dueAt, missed: { code: 'missed-too-late', lateMs, within: digest.missed.within } }
    }
    const isMade = newest === undefined || dueAt > now || dueAt === newest
    return { dueAt, missed: isMade ? null : { code: 'missed-for-newer', newest } }
  })
}

/** Each schedule has the runs after its own beginning, and until the next begins; the first one those before it too. */
function scheduledRuns(changes: ScheduleChange[], after: Instant, until: Instant): Instant[] {
  return changes.flatMap((change, index) => {
    const from = index > 0 && change.at > after ? change.at : after
    const end = changes[index + 1]?.at ?? until
    return change.schedule === '' ? [] : runsAfter(change, from, maxRuns + 1, end < until ? end : until)
  })
}

/** The schedule that counts at a due time. */
export function scheduleAt(changes: ScheduleChange[], dueAt: Instant): ScheduleChange | undefined {
  return changes.findLast(({ at }) => at < dueAt) ?? changes[0]
}

/** The runs, oldest first, but for those that an edition made by hand has served: one from their due time on, and before the next. */
export function withoutServedRuns(runs: DueRun[], editionTimes: Instant[]): DueRun[] {
  return runs.filter(({ dueAt }, index) => {
    const next = runs[index + 1]?.dueAt
    return !editionTimes.some((at) => at > dueAt && (next === undefined || at < next))
  })
}

/** Why runs were missed, one reason for all of them; undefined where none was. */
export function missedReason(runs: DueRun[]): Reason | undefined {
  const missed = runs.filter((run) => run.missed !== null)
  const [first, last] = [missed[0], missed.at(-1)]
  if (!first || !last?.missed || missed.length === 1) return first?.missed ?? undefined
  return { code: 'missed-several', count: missed.length, first: first.dueAt, last: last.dueAt, newest: last.missed }
}

/**
 * The time from one run to the next, in milliseconds, around an instant: from a run to the one after it, or between the
 * two runs that follow a time without one. Infinite for a schedule that does not run twice any more.
 */
export function periodMsAt(digest: Pick<Digest, 'schedule' | 'zone'>, at: Instant): number {
  const [one, next] = runsAfter(digest, addMs(at, -1), 2)
  return one === undefined || next === undefined ? Number.POSITIVE_INFINITY : msBetween(one, next)
}

/** Whether the schedule has a run at that very instant. */
export function isOnSchedule(digest: Pick<Digest, 'schedule' | 'zone'>, dueAt: Instant): boolean {
  return runsAfter(digest, addMs(dueAt, -1), 1)[0] === dueAt
}

/**
 * The next runs after an instant, at most `count`, not after `until`. Wall-clock times of the digest's zone: a time that
 * a clock change leaves out runs at the change, a time that comes twice runs the first time. `*` and steps mean every
 * so often, and run so.
 */
export function runsAfter(
  digest: Pick<Digest, 'schedule' | 'zone'>,
  after: Instant,
  count: number,
  until?: Instant,
): Instant[] {
  // Lists of times too obey the rule for clock changes; only what has a wildcard or a step goes by elapsed time.
  const cron = new Cron(digest.schedule, { timezone: digest.zone, paused: true, fixedTimeRule: 'no-wildcard' })
  const runs: Instant[] = []
  let from = new Date(after)
  while (runs.length < count) {
    const next = cron.nextRun(from)
    if (!next || (until !== undefined && toInstant(next) > until)) break
    runs.push(toInstant(next))
    from = next
  }
  return runs
}
