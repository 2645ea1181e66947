import type { Config } from '../../config/config.ts'
import { day, type Instant } from '../../time/clock.ts'
import { addDays, instantAt, wallTimeAt } from '../../time/zone.ts'
import type { Day } from './daily-quota.ts'

export type WarmUp = NonNullable<Config['pace']['warmUp']>

/** By which the days of a warm-up are counted; no relay can be called so. */
export const warmUpName = 'warm-up of all'

/** The day of the plan at an instant. Before its first day the number of that day counts, after the last there is no limit. */
export function warmUpDay({ from, days, zone }: WarmUp, now: Instant): Day {
  const { date } = wallTimeAt(zone, now)
  const index = Math.max(0, Math.round((Date.parse(date) - Date.parse(from)) / day))
  return { date, most: days[index] ?? null, ends: instantAt(zone, addDays(date, 1), '00:00') }
}
