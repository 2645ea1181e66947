import type { Schedule } from '../../store/digests/digests.ts'
import type { Reason } from '../../store/events/reason.ts'
import { addMs, day, type Instant } from '../../time/clock.ts'
import { addDays, instantAt, wallTimeAt } from '../../time/zone.ts'
import { type Calendar, parseCalendar, type SkippedDates, skipOf } from './calendar.ts'
import { plannedTimes } from './planned-times.ts'

/** Why the calendar leaves out a run, and what happens to the pending articles. */
export type CalendarSkip = { reason: Reason; content: 'keep' | 'drop' }

/** A run of the calendar. A shifted one is due on another day than planned; a skipped one is not made. */
export type CalendarRun = { plannedAt: Instant; dueAt: Instant; shift: Reason | null; skipped: CalendarSkip | null }

/** The largest number of days by which a run is shifted. */
const maxShiftDays = 14

/** Longer than any shift, with a clock change. */
export const maxShiftMs = (maxShiftDays + 1) * day

/** The runs of a calendar that are due after an instant, oldest first, with the skipped ones. */
export function* calendarRuns({ schedule, zone }: Schedule, after: Instant): Generator<CalendarRun, void> {
  const calendar = parseCalendar(schedule)
  const scanFrom = isShifting(schedule) ? addMs(after, -maxShiftMs) : after
  let lastDueAt: Instant | undefined
  for (const plannedAt of plannedTimes(calendar, zone, scanFrom)) {
    const run = runAt(calendar, zone, plannedAt, lastDueAt)
    if (run.skipped === null) lastDueAt = run.dueAt
    if (run.dueAt > after) yield run
  }
}

/** Whether the calendar shifts runs to other days. */
export function isShifting(schedule: string): boolean {
  return schedule !== '' && parseCalendar(schedule).skip.some(({ shift }) => shift !== 'none')
}

/** The instant before the pause ends, if it ends after the given one; otherwise the given one. */
export function withoutPause({ schedule, zone }: Schedule, after: Instant): Instant {
  const { pauseUntil } = parseCalendar(schedule)
  if (pauseUntil === null) return after
  const end = addMs(instantAt(zone, pauseUntil, '00:00'), -1)
  return end > after ? end : after
}

/**
 * The next `count` runs that are made, with those that the calendar leaves out before and between them. Of the runs in a
 * pause only the first is listed.
 */
export function runsWithGaps(schedule: Schedule, after: Instant, count: number): CalendarRun[] {
  const [first] = calendarRuns(schedule, after)
  const start = withoutPause(schedule, after)
  const runs = first && first.skipped?.reason.code === 'run-paused' ? [first] : []
  let made = 0
  for (const run of calendarRuns(schedule, start)) {
    if (made === count || runs.length === maxListed) break
    if (run.skipped === null) made += 1
    runs.push(run)
  }
  return runs.slice(0, 1 + runs.findLastIndex(({ skipped }) => skipped === null || made < count))
}

const maxListed = 1000

function runAt(calendar: Calendar, zone: string, plannedAt: Instant, lastDueAt: Instant | undefined): CalendarRun {
  const run: CalendarRun = { plannedAt, dueAt: plannedAt, shift: null, skipped: null }
  const { date } = wallTimeAt(zone, plannedAt)
  if (isPaused(calendar, date)) {
    return { ...run, skipped: { reason: { code: 'run-paused', until: calendar.pauseUntil ?? '' }, content: 'keep' } }
  }
  const skip = skipOf(calendar, date)
  if (!skip) return run
  const { name, content } = skip
  if (skip.shift === 'none') return { ...run, skipped: { reason: { code: 'date-skipped', name, content }, content } }
  const dueAt = shiftedTo(calendar, zone, plannedAt, skip)
  if (dueAt === undefined || (lastDueAt !== undefined && dueAt <= lastDueAt)) {
    return { ...run, skipped: { reason: { code: 'run-not-shifted', name }, content: 'keep' } }
  }
  const day = wallTimeAt(zone, dueAt).date
  return { ...run, dueAt, shift: { code: 'run-shifted', name, from: date, to: day } }
}

const isPaused = ({ pauseUntil }: Calendar, date: string) => pauseUntil !== null && date < pauseUntil

/**
 * The time on the nearest day that is not skipped; undefined if another planned time comes before it, since one edition
 * then serves both.
 */
function shiftedTo(calendar: Calendar, zone: string, plannedAt: Instant, { shift }: SkippedDates): Instant | undefined {
  const { date, time } = wallTimeAt(zone, plannedAt)
  const step = shift === 'before' ? -1 : 1
  const days = Array.from({ length: maxShiftDays }, (_, index) => addDays(date, step * (index + 1)))
  const free = days.find((one) => skipOf(calendar, one) === undefined)
  if (free === undefined || isPaused(calendar, free)) return undefined
  const dueAt = instantAt(zone, free, time)
  const [from, to] = shift === 'before' ? [addMs(dueAt, -1), addMs(plannedAt, -1)] : [plannedAt, dueAt]
  const between = plannedTimes(calendar, zone, from).next().value
  return between && between <= to ? undefined : dueAt
}
