import { retryAfterMs } from '../mail/reply-rules/deferrals.ts'
import type { SendResult } from '../mail/smtp/result.ts'
import { addMs, day, hour, type Instant, minute, msBetween } from '../time/clock.ts'

/**
 * How long to wait after each try, at least: six tries over 25 hours and more, so that a mailbox full on Friday night gets
 * its Saturday. Each person waits up to a fifth longer, by their id, so that those who were put off together do not come
 * back together.
 */
const waits = [15 * minute, hour, 4 * hour, 8 * hour, 12 * hour]

/** More tries than this nobody gets. */
export const mostAttempts = waits.length + 1

/** A connection that broke costs its person a few minutes, and no try; for so long (RFC 5321 §4.5.4.1) and no longer. */
const cutWait = 5 * minute
const cutLimit = 4 * day

const longer = 0.2

type Tried = { subscriberId: string; attempts: number }

/** Before a try: `cutSince` is when its connections began to break, each time; null if the last one did not. */
type Trying = Tried & { cutSince: Instant | null }

/**
 * When to try again after so many tries, or null when it is enough. The time that the server names in its answer counts
 * in place of ours. One that names a minute each time gets its later tries no closer together than our waits are, one
 * step behind: six tries in six minutes would refuse everybody whom it greylists for longer than it says.
 */
export function nextAttempt({ subscriberId, attempts }: Tried, now: Instant, reply = ''): Instant | null {
  const usual = waits[attempts - 1]
  if (usual === undefined) return null
  const named = retryAfterMs(reply)
  const wait = named === undefined ? usual : Math.max(named, waits[attempts - 2] ?? 0)
  const place = Number.parseInt(subscriberId.slice(-3), 16) / 4096 // the last letters of an id are random (RFC 9562 §5.7)
  return addMs(now, Math.round(wait * (1 + longer * place)))
}

/** The row that a result makes of a delivery, with its tries before this one. */
export function afterResult(result: SendResult, delivery: Trying, now: Instant) {
  const { kind } = result
  const cutSince = kind === 'cut' ? (delivery.cutSince ?? now) : kind === 'unsent' ? delivery.cutSince : null
  return { ...rowAfter(result, { ...delivery, cutSince: cutSince ?? now }, now), cutSince }
}

function rowAfter({ kind, reply }: SendResult, delivery: Tried & { cutSince: Instant }, now: Instant) {
  const attempts = delivery.attempts + 1
  const next = () => nextAttempt({ ...delivery, attempts }, now, reply)
  switch (kind) {
    case 'unfit':
      return { status: 'refused' as const, attempts, reply, nextAttemptAt: null }
    case 'accepted':
    case 'refused':
      return { status: kind, attempts, reply, nextAttemptAt: null }
    case 'unknown':
      return { status: kind, attempts, reply, nextAttemptAt: next() } // the rule `repeat` waits as long
    case 'unsent':
      return { status: 'queued' as const, attempts: attempts - 1, reply, nextAttemptAt: null }
    case 'cut':
      if (msBetween(delivery.cutSince, now) > cutLimit)
        return givenUp('for four days the connection was cut each time', reply, attempts)
      return {
        status: 'deferred' as const,
        attempts: attempts - 1,
        reply,
        nextAttemptAt: addMs(now, retryAfterMs(reply) ?? cutWait),
      }
    case 'deferred':
    case 'rejected': {
      const nextAttemptAt = next()
      if (!nextAttemptAt) return givenUp(`given up after ${attempts} tries`, reply, attempts)
      return { status: 'deferred' as const, attempts, reply, nextAttemptAt }
    }
  }
}

function givenUp(why: string, reply: string, attempts: number) {
  return { status: 'refused' as const, attempts, reply: `${why}; the last answer: ${reply}`, nextAttemptAt: null }
}
