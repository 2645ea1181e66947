import { isGreylisting, isServerState } from '../../mail/reply-rules/deferrals.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import type { Reason } from '../../store/events/reason.ts'
import { hour, type Instant, minute, msBetween, second } from '../../time/clock.ts'

/**
 * The sending rate for one mail provider, which has no limit until the provider complains. Other MTAs do the same:
 * KumoMTA sends unlimited by default, Postfix adds one connection after each good round.
 */
export type Pace = {
  /** Messages per second; null: no limit. */
  rate: number | null
  /** What slowed the rate. */
  reason: Reason
  /** Weight of the complaints since then; the rate is halved at `maxIrritation`. */
  irritation: number
  /** The instant at which `rate` applies: the rate grows with time. */
  at: Instant
}

/** A sign in a reply that we should send more slowly. */
export type Complaint = { weight: number; why: Reason }

const maxIrritation = 3
/** What one good reply subtracts from the irritation: fewer than one complaint in ten replies slows nothing. */
const relief = 0.1
/** The lowest rate, in messages per second: one in ten seconds detects a recovery soon enough. */
export const minRate = 0.1
/** Above this rate there is no limit; a first limit is at most half of it. */
const maxRate = 100
/** A limit doubles in ten minutes of sending … */
const doublingMs = 10 * minute
/** … and in half a day without sending: last Friday's complaint no longer matters. */
const idleDoublingMs = 12 * hour
/** Shorter pauses between two messages count as sending. */
const maxPauseMs = minute
/** A reply that takes longer is a complaint: tarpits wait that long or longer. */
const slowAnswerMs = 20 * second

const noComplaint: Reason = { code: 'slow-down-reply', reply: '' }

export function unlimitedPace(now: Instant): Pace {
  return { rate: null, reason: noComplaint, irritation: 0, at: now }
}

/**
 * Returns the complaint about our rate in a reply, or undefined. A 421 (RFC 5321 §3.8) counts at once, other 4xx only
 * after several; mailbox (4.1.x, 4.2.x: RFC 3463), server state and greylisting replies do not count.
 */
export function complaintIn({ kind, reply }: SendResult, tookMs: number): Complaint | undefined {
  const isAboutPace = !isGreylisting(reply) && !isServerState(reply)
  if (kind === 'cut' && /^421\b/.test(reply) && isAboutPace) return complaint(maxIrritation, reply)
  if (kind === 'deferred' && !/^\d{3}[ -]4\.[12]\.\d/.test(reply) && isAboutPace) return complaint(1, reply)
  const isAnswer = kind === 'accepted' || kind === 'refused' || kind === 'deferred'
  if (isAnswer && tookMs >= slowAnswerMs) return { weight: 1, why: { code: 'slow-replies', tookMs } }
  return undefined
}

function complaint(weight: number, reply: string): Complaint {
  return { weight, why: { code: 'slow-down-reply', reply } }
}

/** The pace after a complaint. `observed` is the measured rate in messages per second. */
export function afterComplaint(pace: Pace, { weight, why }: Complaint, observed: number, now: Instant): Pace {
  const irritation = pace.irritation + weight
  if (irritation < maxIrritation) return { ...pace, irritation }
  const before = Math.min(pace.rate ?? observed, maxRate)
  return { rate: Math.max(minRate, before / 2), reason: why, irritation: 0, at: now }
}

/** The pace after a good reply: the irritation decreases. */
export function afterGood(pace: Pace): Pace {
  return pace.irritation > 0 ? { ...pace, irritation: Math.max(0, pace.irritation - relief) } : pace
}

/** The pace at a later instant: the limit has grown. */
export function paceAt(pace: Pace, now: Instant): Pace {
  if (pace.rate === null) return pace
  const elapsedMs = Math.max(0, msBetween(pace.at, now))
  const rate = pace.rate * 2 ** (elapsedMs / (elapsedMs < maxPauseMs ? doublingMs : idleDoublingMs))
  return rate > maxRate ? unlimitedPace(now) : { ...pace, rate, at: now }
}
