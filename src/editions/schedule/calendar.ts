/** Days on which no edition is made, with both ends; `from` and `to` are dates such as `2026-12-25`. */
export type SkippedDates = {
  from: string
  to: string
  /** The name of the holiday. */
  name: string | null
  content: 'keep' | 'drop'
  shift: 'before' | 'after' | 'none'
}

/** Five cron fields, or a number of weeks or months apart, from a date on, at a local time. */
export type Recurrence = { cron: string } | { every: string; from: string; at: string }

/** When a digest is made. Before the date `pauseUntil` it is paused. */
export type Calendar = Recurrence & { skip: SkippedDates[]; pauseUntil: string | null }

/** The calendar as the store keeps it: five cron fields alone, or JSON. */
export function calendarText(calendar: Calendar): string {
  const isPlain = 'cron' in calendar && calendar.skip.length === 0 && calendar.pauseUntil === null
  return isPlain ? calendar.cron : JSON.stringify(calendar)
}

/** Reads the text of a calendar that `calendarText` wrote. */
export function parseCalendar(text: string): Calendar {
  return text.startsWith('{') ? JSON.parse(text) : { cron: text, skip: [], pauseUntil: null }
}

/** The entry that skips a date. */
export function skipOf({ skip }: Calendar, date: string): SkippedDates | undefined {
  return skip.find(({ from, to }) => from <= date && date <= to)
}
