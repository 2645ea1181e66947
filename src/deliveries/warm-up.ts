import { day, type Instant } from '../clock.ts'
import type { Config } from '../config.ts'
import { dateAfter, instantAt, wallAt } from '../zone.ts'

export type WarmUp = NonNullable<Config['pace']['warmUp']>

/** One day of the plan: how many messages may go out on it; null: as many as there are. */
export type WarmUpDay = { date: string; most: number | null; ends: Instant }

/** The day of the plan at an instant. Before its first day the number of that day counts, after the last there is no limit. */
export function warmUpDay({ from, days, zone }: WarmUp, now: Instant): WarmUpDay {
  const { date } = wallAt(zone, now)
  const index = Math.max(0, Math.round((Date.parse(date) - Date.parse(from)) / day))
  return { date, most: days[index] ?? null, ends: instantAt(zone, dateAfter(date, 1), '00:00') }
}
