import { isGreylisting, isServerState } from '../../mail/reply-rules/deferrals.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import { durationText, hour, type Instant, minute, msBetween, second } from '../../time/clock.ts'

/**
 * How fast a mail provider is written to. Nobody is slowed before it complains: MTAs in use do so too (KumoMTA sends as
 * fast as it can where nothing else is set; Postfix begins with a few connections and adds one for each good round), and
 * a publication whose list never meets a limit should not be kept waiting by our guess.
 */
export type Pace = {
  /** Messages a second; null: no limit. */
  rate: number | null
  /** The answer that slowed it. */
  reason: string
  /** Weight of the complaints since; the pace is halved at `maxIrritation`. */
  irritation: number
  /** The instant as of which the rate holds: it grows with time. */
  at: Instant
}

/** Something in an answer that says: slower. */
export type Complaint = { weight: number; why: string }

const maxIrritation = 3
/** What one good answer takes off the irritation: with fewer than one complaint in ten answers nothing is slowed. */
const relief = 0.1
/** Messages a second at least: one in ten seconds finds out early enough that all is well again. */
export const minRate = 0.1
/** Faster than this there is no limit; a pace begins at half of it at most. */
const maxRate = 100
/** A limit doubles in ten minutes of sending … */
const doublingMs = 10 * minute
/** … and in half a day without: what slowed us last Friday is over by the next. */
const idleDoublingMs = 12 * hour
/** Shorter pauses than this between two messages are part of sending. */
const maxPauseMs = minute
/** An answer that takes longer is a complaint: servers that want us to go (tarpits) wait that long and longer. */
const slowAnswerMs = 20 * second

export function unlimitedPace(now: Instant): Pace {
  return { rate: null, reason: '', irritation: 0, at: now }
}

/**
 * What an answer says about our pace; undefined if nothing. A 421 (RFC 5321 §3.8) is about us at once. Of other 4xx it
 * takes a few. Those about the mailbox (4.1.x, 4.2.x: RFC 3463), about
 * the state of the server, and greylisting say nothing.
 */
export function complaintIn({ kind, reply }: SendResult, tookMs: number): Complaint | undefined {
  const isAboutPace = !isGreylisting(reply) && !isServerState(reply)
  if (kind === 'cut' && /^421\b/.test(reply) && isAboutPace) return { weight: maxIrritation, why: reply }
  if (kind === 'deferred' && !/^\d{3}[ -]4\.[12]\.\d/.test(reply) && isAboutPace) return { weight: 1, why: reply }
  const isAnswer = kind === 'accepted' || kind === 'refused' || kind === 'deferred'
  if (isAnswer && tookMs >= slowAnswerMs) return { weight: 1, why: `an answer took ${durationText(tookMs)}` }
  return undefined
}

/** The pace after a complaint. `observed` is how fast messages went so far, in messages a second. */
export function afterComplaint(pace: Pace, { weight, why }: Complaint, observed: number, now: Instant): Pace {
  const irritation = pace.irritation + weight
  if (irritation < maxIrritation) return { ...pace, irritation }
  const before = Math.min(pace.rate ?? observed, maxRate)
  return { rate: Math.max(minRate, before / 2), reason: why, irritation: 0, at: now }
}

/** The pace after a good answer: a little calmer. */
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

/** For a person: "0.5 messages a second", "6 messages a minute". */
export function rateText(rate: number): string {
  const [count, unit] = rate >= 0.5 ? [rate, 'second'] : [rate * 60, 'minute']
  const rounded = count >= 10 ? Math.round(count) : Math.round(count * 10) / 10
  return `${rounded} ${rounded === 1 ? 'message' : 'messages'} a ${unit}`
}
