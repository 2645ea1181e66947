import type { Digest } from '../../editions/digest.ts'
import { weekdays } from '../../editions/jobs/fields.ts'
import { addMs, type Clock, type Instant } from '../../time/clock.ts'
import { addDays, instantAt, wallTimeAt } from '../../time/zone.ts'
import type { Limit, Wait } from './limit.ts'

export type Window = NonNullable<Digest['window']>

/** Whether the send window is open, and until when that is true. */
export type WindowState = { isOpen: boolean; until: Instant }

/** No message is sent while the digest's send window is closed. */
export class SendWindow implements Limit {
  readonly #clock: Clock
  readonly #window: Window
  readonly #zone: string
  #openUntil: Instant = ''

  constructor(clock: Clock, window: Window, zone: string) {
    this.#clock = clock
    this.#window = window
    this.#zone = zone
  }

  reserve(): 'ok' | Wait {
    const now = this.#clock.now()
    if (now < this.#openUntil) return 'ok'
    const wait = windowWait(this.#window, this.#zone, now)
    if (!wait) this.#openUntil = windowAt(this.#window, this.#zone, now).until
    return wait ?? 'ok'
  }

  settle(): void {}

  isOpen(): boolean {
    return this.#clock.now() < this.#openUntil
  }
}

/** Why the send window blocks sending; undefined: it is open. */
export function windowWait(window: Window, zone: string, now: Instant): Wait | undefined {
  const { isOpen, until } = windowAt(window, zone, now)
  return isOpen ? undefined : { until, reason: { code: 'window-closed', until, zone } }
}

/**
 * The send window at an instant, in local hours of the zone across clock changes; if `to` is earlier than `from`, it
 * closes on the next day. A window inside the hour that a clock change skips opens at the change, for its usual length.
 */
export function windowAt({ from, to, days }: Window, zone: string, now: Instant): WindowState {
  const today = wallTimeAt(zone, now).date
  for (let ahead = -1; ahead <= 8; ahead++) {
    const date = addDays(today, ahead)
    if (!days.includes(weekdayOf(date))) continue
    const opens = instantAt(zone, date, from)
    const closingDate = from < to ? date : addDays(date, 1)
    const closesByClock = instantAt(zone, closingDate, to)
    const closes = closesByClock > opens ? closesByClock : addMs(opens, lengthMs(date, from, closingDate, to))
    if (opens <= now && now < closes) return { isOpen: true, until: closes }
    if (opens > now) return { isOpen: false, until: opens }
  }
  return { isOpen: false, until: instantAt(zone, addDays(today, 9), from) }
}

/** Milliseconds from one wall clock time to another, ignoring clock changes. */
function lengthMs(date: string, from: string, closingDate: string, to: string): number {
  return Date.parse(`${closingDate}T${to}:00Z`) - Date.parse(`${date}T${from}:00Z`)
}

function weekdayOf(date: string): (typeof weekdays)[number] {
  return weekdays[new Date(`${date}T12:00:00Z`).getUTCDay()] ?? 'SUN'
}
