import { setTimeout as sleep } from 'node:timers/promises'

/** Fixed-width ISO 8601 text in UTC, `2026-11-23T07:00:00.000Z`, which sorts by time on both engines. */
export type Instant = string

export type Clock = { now(): Instant }

/** `wait` ends early when the signal aborts, and never rejects. */
export type WaitingClock = Clock & { wait(milliseconds: number, signal?: AbortSignal): Promise<void> }

let lastNow = { milliseconds: Number.NaN, text: '' }

/** Makes the text once a millisecond, because sending calls it thousands of times a second. */
function systemNow(): Instant {
  const milliseconds = Date.now()
  if (milliseconds !== lastNow.milliseconds) lastNow = { milliseconds, text: new Date(milliseconds).toISOString() }
  return lastNow.text
}

export const systemClock: WaitingClock = {
  now: systemNow,
  wait: (milliseconds, signal) => sleep(milliseconds, undefined, signal && { signal }).catch(() => {}),
}

export function toInstant(date: Date | number): Instant {
  return new Date(date).toISOString()
}

/** Resolves after the event loop has run other work. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** The date format of mail and RSS: `Mon, 23 Nov 2026 07:00:00 +0000` (RFC 5322 §3.3). */
export function mailDate(instant: Instant): string {
  return new Date(instant).toUTCString().replace('GMT', '+0000')
}

/** The instant `milliseconds` later, or earlier if negative. */
export function addMs(instant: Instant, milliseconds: number): Instant {
  return toInstant(Date.parse(instant) + milliseconds)
}

/** Milliseconds from the first instant to the second. */
export function msBetween(from: Instant, to: Instant): number {
  return millisecondsOf(to) - millisecondsOf(from)
}

/** Fast for the current time, the most frequent argument. */
function millisecondsOf(instant: Instant): number {
  return instant === lastNow.text ? lastNow.milliseconds : Date.parse(instant)
}

export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour

/** "90m", "12h", "3d" → milliseconds. */
export function parseDurationMs(text: string): number {
  const [, count, unit] = /^(\d+) ?(m|h|d)$/.exec(text) ?? []
  return Number(count) * { m: minute, h: hour, d: day }[unit as 'm' | 'h' | 'd']
}

/** A duration for a person: `14 h 5 min`, `3 days`, `12 s`. */
export function durationText(milliseconds: number): string {
  const total = Math.max(0, Math.round(milliseconds / second))
  if (total < 60) return `${total} s`
  const minutes = Math.round(total / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`
  return `${Math.round(hours / 24)} days`
}
