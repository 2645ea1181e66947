import type { Instant } from '../clock.ts'
import { type Digest, weekdays } from '../editions/digest.ts'
import { dateAfter, instantAt, wallAt } from '../zone.ts'

export type Window = NonNullable<Digest['window']>

/** Whether the send window is open, and until when it stays as it is. */
export type WindowState = { isOpen: boolean; until: Instant }

/**
 * The send window at an instant. Its hours are those of the zone, also over a change of the clocks; where `to` is
 * earlier than `from` it closes on the next day.
 */
export function windowAt({ from, to, days }: Window, zone: string, now: Instant): WindowState {
  const today = wallAt(zone, now).date
  for (let ahead = -1; ahead <= 8; ahead++) {
    const date = dateAfter(today, ahead)
    if (!days.includes(weekdayOf(date))) continue
    const opens = instantAt(zone, date, from)
    const closes = instantAt(zone, from < to ? date : dateAfter(date, 1), to)
    if (opens <= now && now < closes) return { isOpen: true, until: closes }
    if (opens > now && opens < closes) return { isOpen: false, until: opens }
  }
  return { isOpen: false, until: instantAt(zone, dateAfter(today, 9), from) }
}

function weekdayOf(date: string): (typeof weekdays)[number] {
  return weekdays[new Date(`${date}T12:00:00Z`).getUTCDay()] ?? 'SUN'
}
