import { retryAfterMs } from '../mail/reply-rules/deferrals.ts'
import type { SendResult } from '../mail/smtp/result.ts'
import { type Reason, withFurther } from '../store/events/reason.ts'
import { toJson } from '../store/json.ts'
import { addMs, day, hour, type Instant, minute, msBetween } from '../time/clock.ts'

/**
 * The minimum wait after each attempt: six attempts over at least 25 hours, so that a mailbox full on Friday night is
 * tried on Saturday. Each person waits up to a fifth longer, by ID, to spread the retries.
 */
const retryDelaysMs = [15 * minute, hour, 4 * hour, 8 * hour, 12 * hour]

/** The maximum number of attempts per person. */
export const maxAttempts = retryDelaysMs.length + 1

/**
 * A broken connection delays its person by a few minutes without counting as an attempt, up to this limit (RFC 5321
 * §4.5.4.1).
 */
const cutRetryMs = 5 * minute
const cutLimit = 4 * day

const longer = 0.2

type Tried = { subscriberId: string; attempts: number }

/** State before an attempt. `cutSince` is when its connections began to break; null if the last one did not. */
type Trying = Tried & { cutSince: Instant | null }

/**
 * When to retry after this many attempts; null: no more. The server's stated delay replaces ours, but not below our
 * delay one step earlier: six tries in six minutes would refuse people at a server that greylists longer than it says.
 */
export function nextAttempt({ subscriberId, attempts }: Tried, now: Instant, reply = ''): Instant | null {
  const usual = retryDelaysMs[attempts - 1]
  if (usual === undefined) return null
  const named = retryAfterMs(reply)
  const wait = named === undefined ? usual : Math.max(named, retryDelaysMs[attempts - 2] ?? 0)
  const place = Number.parseInt(subscriberId.slice(-3), 16) / 4096 // the last characters of an ID are random (RFC 9562 §5.7)
  return addMs(now, Math.round(wait * (1 + longer * place)))
}

/** The row that a result makes of a delivery; `attempts` counts the earlier ones. */
export function afterResult(result: SendResult, delivery: Trying, now: Instant) {
  const { kind } = result
  const cutSince = kind === 'cut' ? (delivery.cutSince ?? now) : kind === 'unsent' ? delivery.cutSince : null
  const reason = result.reason ? toJson(result.reason) : null
  return { reason, ...rowAfter(result, { ...delivery, cutSince: cutSince ?? now }, now), cutSince }
}

function rowAfter(result: SendResult, delivery: Tried & { cutSince: Instant }, now: Instant) {
  const { kind, reply } = result
  const attempts = delivery.attempts + 1
  const next = () => nextAttempt({ ...delivery, attempts }, now, reply)
  switch (kind) {
    case 'unfit':
      return { status: 'refused' as const, attempts, reply, nextAttemptAt: null }
    case 'accepted':
    case 'refused':
      return { status: kind, attempts, reply, nextAttemptAt: null }
    case 'unknown':
      return { status: kind, attempts, reply, nextAttemptAt: next() } // the `repeat` rule waits as long
    case 'unsent':
      return { status: 'queued' as const, attempts: attempts - 1, reply, nextAttemptAt: null }
    case 'cut':
      if (msBetween(delivery.cutSince, now) > cutLimit)
        return givenUp({ code: 'connection-cut', forMs: cutLimit }, result, attempts)
      return {
        status: 'deferred' as const,
        attempts: attempts - 1,
        reply,
        nextAttemptAt: addMs(now, retryAfterMs(reply) ?? cutRetryMs),
      }
    case 'deferred':
    case 'rejected': {
      const nextAttemptAt = next()
      if (!nextAttemptAt) return givenUp({ code: 'given-up', attempts }, result, attempts)
      return { status: 'deferred' as const, attempts, reply, nextAttemptAt }
    }
  }
}

function givenUp(why: Reason, { reply, reason: last }: SendResult, attempts: number) {
  const reason = toJson(withFurther(why, ...(last ? [last] : [])))
  return { status: 'refused' as const, attempts, reply, reason, nextAttemptAt: null }
}
