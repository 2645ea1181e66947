import type { Instant } from './clock.ts'

/** Formats instants in a time zone and a language: "Fri, 27 Nov 2026, 07:00 GMT". */
export function momentText(zone = 'UTC', language = 'en-GB'): (instant: Instant) => string {
  const format = new Intl.DateTimeFormat(language, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone: zone,
    timeZoneName: 'short',
  })
  return (instant) => format.format(new Date(instant))
}
