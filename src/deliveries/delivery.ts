import { hour, type Instant, later, minute } from '../clock.ts'

/**
 * What the relay did with one message.
 * accepted: 2xx · refused: 5xx, never again · deferred: 4xx, later · unknown: cut off after the message was whole and
 * before the answer · unsent: no connection, or cut off before the message was whole, so it is not out.
 */
export type SendResult = { kind: 'accepted' | 'refused' | 'deferred' | 'unknown' | 'unsent'; reply: string }

/** How long to wait after each try: six tries over 25 hours, so that a mailbox full on Friday night gets its Saturday. */
const waits = [15 * minute, hour, 4 * hour, 8 * hour, 12 * hour]

/** More tries than this nobody gets. */
export const mostAttempts = waits.length + 1

/** When to try again after so many tries, or null when it is enough. */
export function nextAttempt(attempts: number, now: Instant): Instant | null {
  const wait = waits[attempts - 1]
  return wait === undefined ? null : later(now, wait)
}

/** The row that a result makes of a delivery that was tried `before` times. What was unsent is not a try: nobody refused it. */
export function afterResult({ kind, reply }: SendResult, before: number, now: Instant) {
  const attempts = before + 1
  if (kind === 'unsent') return { status: 'queued' as const, attempts: before, reply, nextAttemptAt: null }
  if (kind === 'accepted' || kind === 'refused') return { status: kind, attempts, reply, nextAttemptAt: null }
  const nextAttemptAt = nextAttempt(attempts, now)
  if (kind === 'unknown') return { status: kind, attempts, reply, nextAttemptAt } // the rule `repeat` waits as long
  if (nextAttemptAt) return { status: 'deferred' as const, attempts, reply, nextAttemptAt }
  const last = `given up after ${attempts} tries; the last answer: ${reply}`
  return { status: 'refused' as const, attempts, reply: last, nextAttemptAt: null }
}
