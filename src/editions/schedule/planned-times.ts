import { Cron } from 'croner'
import { day, type Instant, toInstant } from '../../time/clock.ts'
import { addDays, instantAt, wallTimeAt } from '../../time/zone.ts'
import type { Recurrence } from './calendar.ts'

/**
 * The times of a recurrence after an instant, oldest first, before any date is skipped. Times are wall-clock times in the
 * zone: a time that a clock change skips runs at the change, a repeated time runs once, the first time.
 */
export function plannedTimes(recurrence: Recurrence, zone: string, after: Instant): Generator<Instant, void> {
  return 'cron' in recurrence ? cronTimes(recurrence.cron, zone, after) : steadyTimes(recurrence, zone, after)
}

/** `*` and steps are intervals. */
function* cronTimes(pattern: string, zone: string, after: Instant): Generator<Instant, void> {
  // Lists of times also follow the rule for clock changes; only wildcards and steps go by elapsed time.
  const cron = new Cron(pattern, { timezone: zone, paused: true, fixedTimeRule: 'no-wildcard' })
  for (let next = cron.nextRun(new Date(after)); next; next = cron.nextRun(next)) yield toInstant(next)
}

function* steadyTimes(
  { every, from, at }: Extract<Recurrence, { every: string }>,
  zone: string,
  after: Instant,
): Generator<Instant, void> {
  const [count, unit = ''] = every.split(' ')
  const step = Number(count)
  const date = wallTimeAt(zone, after).date
  const isMonthly = unit.startsWith('month')
  const passed = isMonthly ? monthsBetween(from, date) : Math.floor(daysBetween(from, date) / 7)
  for (let index = Math.max(0, Math.floor(passed / step) - 1); ; index += 1) {
    const next = isMonthly ? addMonths(from, step * index) : addDays(from, 7 * step * index)
    const time = instantAt(zone, next, at)
    if (time > after) yield time
  }
}

function daysBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / day
}

function monthsBetween(from: string, to: string): number {
  const months = (date: string) => Number(date.slice(0, 4)) * 12 + Number(date.slice(5, 7))
  return months(to) - months(from)
}

/** `2026-01-31` and 1 → `2026-02-28`: a month without that day has its last day instead. */
function addMonths(date: string, months: number): string {
  const [year = 0, month = 1, monthDay = 1] = date.split('-').map(Number)
  const lastDay = new Date(Date.UTC(year, month + months, 0)).getUTCDate()
  return new Date(Date.UTC(year, month - 1 + months, Math.min(monthDay, lastDay))).toISOString().slice(0, 10)
}
