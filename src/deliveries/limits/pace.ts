import { isGreylisting, isServerState } from '../../mail/reply-rules/deferrals.ts'
import type { SendResult } from '../../mail/smtp/result.ts'
import { durationText, hour, type Instant, minute, msBetween, second } from '../../time/clock.ts'

/**
 * How fast a mail provider is written to. Nobody is slowed before it complains: MTAs in use do it so (KumoMTA sends as
 * fast as it can where nothing else is set; Postfix begins with a few connections and adds one for each good round), and
 * a publication whose list never meets a limit should not be kept waiting by a guess of ours.
 */
export type Pace = {
  /** Messages a second; null: as many as the relay takes. */
  rate: number | null
  /** Why it is slow. */
  reason: string
  /** How near it is to being slowed, or slowed once more. */
  irritation: number
  /** Messages that may go at this moment, as of `at`. */
  tokens: number
  at: Instant
}

/** Something in an answer that says: slower. At so much of it the pace is halved. */
export type Complaint = { weight: number; why: string }

const enough = 3
/** What one good answer makes good again: with fewer than one complaint in ten answers nothing is slowed. */
const soothing = 0.1
/** Never slower than this, in messages a second: one in ten seconds finds out early enough that all is well again. */
export const slowest = 0.1
/** Faster than this is no limit any more; a pace begins at half of it at most. */
const fastest = 100
/** A limit doubles in so much time of good answers … */
const doubling = 10 * minute
/** … and in so much time in which nothing was sent: what slowed us last Friday is over by the next. */
const forgetting = 12 * hour
/** Shorter pauses than this between two messages are part of sending. */
const pause = minute
/** An answer that takes longer is slow: servers that want us to go (tarpits) wait for so long and longer. */
const slowAnswer = 20 * second

export function freePace(now: Instant): Pace {
  return { rate: null, reason: '', irritation: 0, tokens: 0, at: now }
}

/**
 * What an answer that took so many milliseconds says about our pace; undefined if nothing. A 421 (RFC 5321 §3.8) or a
 * cut-off welcome is about us at once. Of other 4xx it takes a few. Those about the mailbox (4.1.x, 4.2.x: RFC 3463), about
 * the state of the server, and greylisting say nothing.
 */
export function complaintIn({ kind, reply }: SendResult, took: number): Complaint | undefined {
  const isAboutPace = !isGreylisting(reply) && !isServerState(reply)
  if (kind === 'cut' && /^421\b/.test(reply) && isAboutPace) return { weight: enough, why: reply }
  if (kind === 'deferred' && !/^\d{3}[ -]4\.[12]\.\d/.test(reply) && isAboutPace) return { weight: 1, why: reply }
  const isAnswer = kind === 'accepted' || kind === 'refused' || kind === 'deferred'
  if (isAnswer && took >= slowAnswer) return { weight: 1, why: `an answer took ${durationText(took)}` }
  return undefined
}

/** The pace after a complaint. `observed` is how fast messages went so far, in messages a second. */
export function afterComplaint(pace: Pace, { weight, why }: Complaint, observed: number, now: Instant): Pace {
  const irritation = pace.irritation + weight
  if (irritation < enough) return { ...pace, irritation }
  const before = Math.min(pace.rate ?? observed, fastest)
  return { rate: Math.max(slowest, before / 2), reason: why, irritation: 0, tokens: 0, at: now }
}

/** The pace after a good answer: a little calmer. */
export function afterGood(pace: Pace): Pace {
  return pace.irritation > 0 ? { ...pace, irritation: Math.max(0, pace.irritation - soothing) } : pace
}

/** The pace at a later instant: tokens have come in, at most those of one second, and the limit has grown. */
export function paceAt(pace: Pace, now: Instant): Pace {
  if (pace.rate === null) return pace
  const elapsed = Math.max(0, msBetween(pace.at, now))
  const grown = pace.rate * 2 ** (elapsed < pause ? elapsed / doubling : elapsed / forgetting)
  if (grown > fastest) return freePace(now)
  const tokens = Math.min(Math.max(1, grown), pace.tokens + (pace.rate * elapsed) / second)
  return { ...pace, rate: grown, tokens, at: now }
}

/** Milliseconds from `pace.at` until a message may go. */
export function untilToken({ rate, tokens }: Pace): number {
  return rate === null || tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / rate) * second)
}

/** For a person: "0.5 messages a second", "6 messages a minute". */
export function rateText(rate: number): string {
  const [count, unit] = rate >= 0.5 ? [rate, 'second'] : [rate * 60, 'minute']
  const rounded = count >= 10 ? Math.round(count) : Math.round(count * 10) / 10
  return `${rounded} ${rounded === 1 ? 'message' : 'messages'} a ${unit}`
}
