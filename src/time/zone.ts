import { addMs, type Instant, minute, toInstant } from './clock.ts'

/** Local time: `2026-11-27`, `07:00`, and the day of the week from 0 (Sunday) to 6. */
export type WallTime = { date: string; time: string; weekday: number }

/** Whether the name is an IANA time zone: "Europe/London", "UTC"; not an offset or an abbreviation. */
export function isTimeZone(name: string): boolean {
  if (!/\//.test(name) && name !== 'UTC') return false
  try {
    formatOf(name)
    return true
  } catch {
    return false
  }
}

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known) return known
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  })
  formats.set(zone, format)
  return format
}

/** The local time of a zone at an instant. */
export function wallTimeAt(zone: string, instant: Instant): WallTime {
  const parts = Object.fromEntries(
    formatOf(zone)
      .formatToParts(new Date(instant))
      .map(({ type, value }) => [type, value]),
  )
  const date = `${parts.year}-${parts.month}-${parts.day}`
  return { date, time: `${parts.hour}:${parts.minute}`, weekday: new Date(`${date}T12:00:00Z`).getUTCDay() }
}

/**
 * The instant of a local time: the first if a clock change repeats the time, the instant of the change if it skips the
 * time.
 */
export function instantAt(zone: string, date: string, time: string): Instant {
  const wanted = `${date}T${time}`
  const asUtc = Date.parse(`${wanted}:00Z`)
  const offsets = [-36, 36].map((hours) => offsetAt(zone, asUtc + hours * 60 * minute))
  const found = offsets.map((offset) => asUtc - offset).sort((a, b) => a - b)
  for (const one of found) if (showsAt(zone, one) === wanted) return toInstant(one)
  return changeBetween(zone, found[0] ?? asUtc, found[1] ?? asUtc)
}

function showsAt(zone: string, milliseconds: number): string {
  const { date, time } = wallTimeAt(zone, toInstant(milliseconds))
  return `${date}T${time}`
}

/** Milliseconds ahead of UTC. */
function offsetAt(zone: string, milliseconds: number): number {
  return Date.parse(`${showsAt(zone, milliseconds)}:00Z`) - milliseconds
}

/** The instant of the clock change between the two, to the minute. */
function changeBetween(zone: string, from: number, to: number): Instant {
  const before = offsetAt(zone, from)
  let [low, high] = [from, to]
  while (high - low > minute) {
    const middle = low + Math.floor((high - low) / minute / 2) * minute
    if (offsetAt(zone, middle) === before) low = middle
    else high = middle
  }
  return toInstant(high)
}

/** `2026-11-27` and 3 → `2026-11-30`. */
export function addDays(date: string, days: number): string {
  return addMs(`${date}T12:00:00.000Z`, days * 24 * 60 * minute).slice(0, 10)
}

/** "Friday 27 November 2026 at 07:00 in Europe/London". */
export function wallTimeText(zone: string, instant: Instant): string {
  const day = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  })
  return `${day.format(new Date(instant)).replace(',', '')} at ${wallTimeAt(zone, instant).time} in ${zone}`
}
