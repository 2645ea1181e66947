import type { Config } from '../../config/config.ts'
import type { Db } from '../../store/schema.ts'
import { type Clock, day, type Instant } from '../../time/clock.ts'
import { addDays, instantAt, wallTimeAt } from '../../time/zone.ts'
import { DailyQuota, type Day, type QuotaRule } from './daily-quota.ts'

export type WarmUp = NonNullable<Config['pace']['warmUp']>

/** The day of the plan at an instant. Before the first day its quota applies; after the last day there is no limit. */
export function warmUpDay({ from, days, zone }: WarmUp, now: Instant): Day {
  const { date } = wallTimeAt(zone, now)
  const index = Math.max(0, Math.round((Date.parse(date) - Date.parse(from)) / day))
  return { date, limit: days[index] ?? null, ends: instantAt(zone, addDays(date, 1), '00:00') }
}

export function warmUpRule(warmUp: WarmUp): QuotaRule {
  return {
    name: 'warm-up of all', // no relay can have this name
    dayAt: (now) => warmUpDay(warmUp, now),
    reasonOf: ({ limit, date, ends }) => ({
      code: 'warm-up-used',
      count: limit ?? 0,
      date,
      until: ends,
      zone: warmUp.zone,
    }),
  }
}

/** The message quota of each day during the warm-up of a new relay or domain. */
export function warmUpQuota(needs: { db: Db; clock: Clock }, warmUp: WarmUp): DailyQuota {
  return new DailyQuota(needs, warmUpRule(warmUp))
}
