import type { ScheduleChange } from '../../store/digests/digests.ts'
import { addMs, type Instant } from '../../time/clock.ts'
import { wallTimeAt } from '../../time/zone.ts'
import { type CalendarRun, calendarRuns, isShifting, maxShiftMs } from './calendar-runs.ts'

/**
 * The runs of each schedule from its start until the next one starts, at most `maxRuns` of each, oldest first. The first
 * schedule also covers earlier times.
 */
export function scheduledRuns(
  changes: ScheduleChange[],
  after: Instant,
  until: Instant,
  maxRuns: number,
): CalendarRun[] {
  return changes.flatMap((change, index) => {
    const from = index > 0 && change.at > after ? change.at : after
    const next = changes[index + 1]?.at ?? until
    const end = next < until ? next : until
    if (change.schedule === '' || end <= from) return []
    const runs = runsUntil(change, from, end, maxRuns)
    const before = changes.slice(0, index).findLast(({ schedule }) => schedule !== '')
    const canMove = before && (isShifting(before.schedule) || isShifting(change.schedule))
    if (!canMove || from > addMs(change.at, maxShiftMs)) return runs
    const known = runsAround(before, change.at)
    const around = runsAround(change, change.at)
    const moved = [...lateRuns(known, around, change), ...carriedRuns(known, around, change)]
    const added = moved.filter(({ dueAt }) => dueAt > from && dueAt <= end)
    return [...runs.filter((run) => !isServed(run, known, change)), ...added].sort((one, other) =>
      one.dueAt < other.dueAt ? -1 : 1,
    )
  })
}

function runsUntil(schedule: ScheduleChange, after: Instant, until: Instant, maxRuns: number): CalendarRun[] {
  const runs: CalendarRun[] = []
  for (const run of calendarRuns(schedule, after)) {
    if (run.dueAt > until || runs.length === maxRuns) break
    runs.push(run)
  }
  return runs
}

/** A run with its planned date: the same date in two schedules is the same run, wherever it was shifted. */
type DatedRun = CalendarRun & { date: string }

/** The made runs that a shift can move from one side of the instant to the other. */
function runsAround(schedule: ScheduleChange, at: Instant): DatedRun[] {
  const runs = runsUntil(schedule, addMs(at, -maxShiftMs), addMs(at, maxShiftMs), Number.POSITIVE_INFINITY)
  const made = runs.filter(({ skipped }) => skipped === null)
  return made.map((run) => ({ ...run, date: dateOf(run, schedule) }))
}

const dateOf = ({ plannedAt }: CalendarRun, { zone }: ScheduleChange) => wallTimeAt(zone, plannedAt).date

/** Whether the earlier schedule made the same run already, on another day than planned or before it was shifted. */
function isServed(run: CalendarRun, known: DatedRun[], change: ScheduleChange): boolean {
  if (run.skipped !== null) return known.some((one) => isShiftedBefore(one, run, change))
  const date = dateOf(run, change)
  return known.some((one) => one.date === date && one.dueAt <= change.at && (one.shift ?? run.shift) !== null)
}

/** A date that is skipped now, and whose run was made on an earlier day. */
function isShiftedBefore(one: DatedRun, run: CalendarRun, change: ScheduleChange): boolean {
  return one.shift !== null && one.dueAt <= change.at && one.date === dateOf(run, change)
}

/** Open runs of the earlier schedule that are now shifted to a day before the change: they are due at the change. */
function lateRuns(known: DatedRun[], around: DatedRun[], { at }: ScheduleChange): CalendarRun[] {
  const isOpen = (date: string) => known.some((one) => one.date === date && one.dueAt > at)
  const late = around.filter(({ plannedAt, dueAt, date }) => dueAt <= at && plannedAt > at && isOpen(date))
  return late.map((run) => ({ ...run, dueAt: addMs(at, 1) }))
}

/** Open runs that the earlier schedule shifted from before the change to after it, and the new one no longer has. */
function carriedRuns(known: DatedRun[], around: DatedRun[], { at }: ScheduleChange): CalendarRun[] {
  return known.filter(
    (run) =>
      run.plannedAt <= at && run.dueAt > at && !around.some(({ date, dueAt }) => date === run.date && dueAt > at),
  )
}
