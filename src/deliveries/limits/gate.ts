import type { Db } from '../../store/schema.ts'
import type { Clock, Instant } from '../../time/clock.ts'
import { wallTimeText } from '../../time/zone.ts'
import { openAllowance } from './daily-quota.ts'
import { type WarmUp, warmUpDay, warmUpName } from './warm-up.ts'
import { type Window, windowAt } from './window.ts'

/** Something could go out, but not before then. */
export type Wait = { until: Instant; reason: string }

/** What all copies have to pass, whoever gets them: the send window, and the number of the day in a warm-up. */
export type Gate = {
  /** Whether one more may go at this moment; it then counts. */
  take(): boolean
  /** Whether one that was taken may still go: it may have waited for a relay until the window closed. */
  isOpen(): boolean
  /** Why none may go; undefined: some may. */
  shut(): Promise<Wait | undefined>
  /** What became of one that was taken: one that did not go out does not count. */
  settle(isOut: boolean): void
  /** Nothing is on its way any more: gives back what was taken of the day and not used. */
  close(): Promise<void>
}

export type GateRules = { window?: Window | undefined; warmUp?: WarmUp | undefined; zone: string }

export function openGate(needs: { db: Db; clock: Clock }, { window, warmUp, zone }: GateRules): Gate {
  const { clock } = needs
  const allowance = warmUp && openAllowance(needs, warmUpName, (now) => warmUpDay(warmUp, now))
  /** Until when the window is known to be open. */
  let openUntil = ''

  function isOpen(now: Instant): boolean {
    return window === undefined || now < openUntil
  }

  return {
    take: () => isOpen(clock.now()) && (allowance?.take() ?? true),
    isOpen: () => isOpen(clock.now()),
    async shut() {
      const now = clock.now()
      if (window && !isOpen(now)) {
        const state = windowAt(window, zone, now)
        if (!state.isOpen)
          return { until: state.until, reason: `the send window opens on ${wallTimeText(zone, state.until)}` }
        openUntil = state.until
      }
      const day = await allowance?.spent()
      return (
        day && { until: day.ends, reason: `warm-up: ${day.most} messages may go out on ${day.date}, and they have` }
      )
    },
    settle: (isOut) => allowance?.settle(isOut),
    close: async () => allowance?.close(),
  }
}
