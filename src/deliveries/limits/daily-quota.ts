import { releaseQuota, reserveQuota } from '../../store/limits/daily-quotas.ts'
import type { Db } from '../../store/schema.ts'
import type { Clock, Instant } from '../../time/clock.ts'

/** One day: how many messages it allows, null for as many as there are, and when it ends. */
export type Day = { date: string; most: number | null; ends: Instant }

/** A number of messages a day, shared by all processes and kept over restarts. */
export type Allowance = {
  /** Whether one more may go at this moment; it then counts. False may also mean: ask `spent`. */
  take(): boolean
  /** Takes more of the day from the store; the day if it is spent, undefined if some may go. */
  spent(): Promise<Day | undefined>
  /** What became of one that was taken: one that did not go out does not count. */
  settle(isOut: boolean): void
  /** Nothing is on its way any more: gives back what was taken of the day and not used. */
  close(): Promise<void>
}

/** So many are taken of the day at once; a crash may cost as many. */
const batch = 20

export function openAllowance(
  { db, clock }: { db: Db; clock: Clock },
  name: string,
  dayAt: (now: Instant) => Day,
): Allowance {
  let today: Day | undefined
  let left = 0
  let onTheWay = 0

  async function giveBack(day: Day | undefined, count: number): Promise<void> {
    if (day && day.most !== null && count > 0) await releaseQuota(db, { name, day: day.date }, count)
  }

  /** A new day, of which nothing is taken yet; what is on its way counts for the day on which it began. */
  async function turnTo(day: Day): Promise<void> {
    const [before, unused] = [today, left]
    today = day
    left = 0
    onTheWay = 0
    await giveBack(before, unused)
  }

  return {
    take() {
      if (today === undefined || clock.now() >= today.ends) return false
      if (today.most === null) return true
      if (left === 0) return false
      left -= 1
      onTheWay += 1
      return true
    },
    async spent() {
      const now = clock.now()
      if (today === undefined || now >= today.ends) await turnTo(dayAt(now))
      const day = today
      if (day === undefined || day.most === null || left > 0) return undefined
      const { date, most } = day
      const taken = await reserveQuota(db, { name, day: date }, { most, wanted: Math.min(batch, most) })
      if (day !== today) await giveBack(day, taken)
      else left += taken // beside what was given back while the store was asked
      return left > 0 ? undefined : today
    },
    settle(isOut) {
      if (onTheWay === 0) return
      onTheWay -= 1
      if (!isOut) left += 1
    },
    async close() {
      const unused = left + onTheWay
      left = 0
      onTheWay = 0
      await giveBack(today, unused)
    },
  }
}
