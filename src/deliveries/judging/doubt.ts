import type { SendResult } from '../../mail/smtp/result.ts'
import type { QueuedDelivery } from '../../store/deliveries/deliveries.ts'
import { addMs, type Instant, minute } from '../../time/clock.ts'
import { maxAttempts, nextAttempt } from '../delivery.ts'

const doubtWaitMs = 15 * minute

/** Whether a result is a server's refusal of a person, which is deferred until the relay is trusted. */
export function isInDoubt({ kind, reply }: SendResult, { attempts }: QueuedDelivery): boolean {
  return kind === 'refused' && /^\d{3}/.test(reply) && attempts + 1 < maxAttempts
}

/**
 * The row of such a refusal: the last attempt is deferred too, because an untrusted relay cannot make a refusal final.
 */
export function rowInDoubt({ reply }: SendResult, delivery: QueuedDelivery, now: Instant) {
  const attempts = delivery.attempts + 1
  const nextAttemptAt = nextAttempt({ ...delivery, attempts }, now) ?? addMs(now, doubtWaitMs)
  return { status: 'deferred' as const, attempts, reply, reason: null, nextAttemptAt, cutSince: null }
}
