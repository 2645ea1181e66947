import type { Clock, Instant } from '../clock.ts'
import type { Db } from '../store/schema.ts'
import { giveBackOf, takeOf } from '../store/warm-up.ts'
import { wallText } from '../zone.ts'
import { type WarmUp, type WarmUpDay, warmUpDay } from './warm-up.ts'
import { type Window, windowAt } from './window.ts'

/** Something could go out, but not before then. */
export type Wait = { until: Instant; reason: string }

/** What all copies have to pass, whoever gets them: the send window, and the number of the day in a warm-up. */
export type Gate = {
  /** Whether one more may go at this moment; it then counts. */
  take(): boolean
  /** Why none may go; undefined: some may. */
  shut(): Promise<Wait | undefined>
  /** What became of one that was taken: one that did not go out does not count. */
  settle(isOut: boolean): void
  /** Nothing is on its way any more: gives back what was taken of the day and not used. */
  close(): Promise<void>
}

export type GateRules = { window?: Window | undefined; warmUp?: WarmUp | undefined; zone: string }

/** So many are taken of the day at once; a crash may cost as many. */
const batch = 20

export function openGate({ db, clock }: { db: Db; clock: Clock }, { window, warmUp, zone }: GateRules): Gate {
  /** Until when what we know of window and day holds. */
  let until: Instant | undefined = window || warmUp ? '' : undefined
  let today: WarmUpDay | undefined
  let left = Number.POSITIVE_INFINITY
  let onTheWay = 0

  async function lookAgain(now: Instant): Promise<Wait | undefined> {
    await giveBack(left) // what is on its way counts for the day on which it began
    onTheWay = 0
    const hours = window && windowAt(window, zone, now)
    if (hours && !hours.isOpen)
      return { until: hours.until, reason: `the send window opens on ${wallText(zone, hours.until)}` }
    today = warmUp && warmUpDay(warmUp, now)
    left = today?.most == null ? Number.POSITIVE_INFINITY : 0
    until = [hours?.until, today?.ends].filter((one) => one !== undefined).sort()[0]
    return undefined
  }

  async function takeMore(): Promise<Wait | undefined> {
    if (today?.most == null || !warmUp) return undefined
    left = await takeOf(db, today.date, { most: today.most, wanted: batch })
    if (left > 0) return undefined
    return { until: today.ends, reason: `warm-up: ${today.most} messages may go out on ${today.date}, and they have` }
  }

  async function giveBack(count: number): Promise<void> {
    if (today?.most == null || count === 0) return
    left = 0
    await giveBackOf(db, today.date, count)
  }

  return {
    take() {
      if (left === 0 || (until !== undefined && clock.now() >= until)) return false
      if (left === Number.POSITIVE_INFINITY) return true
      left -= 1
      onTheWay += 1
      return true
    },
    async shut() {
      const now = clock.now()
      if (until !== undefined && now >= until) {
        const wait = await lookAgain(now)
        if (wait) return wait
      }
      return left > 0 ? undefined : await takeMore()
    },
    settle(isOut) {
      if (onTheWay === 0) return
      onTheWay -= 1
      if (!isOut) left += 1
    },
    async close() {
      await giveBack(left + onTheWay)
      onTheWay = 0
    },
  }
}
