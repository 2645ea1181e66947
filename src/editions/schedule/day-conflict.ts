const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

/** Ranges of days that people write for a week of the month, with the week's name and its cron suffix. */
const monthWeeks: Record<string, { ordinal: string; suffix: string }> = {
  '1-7': { ordinal: 'first', suffix: '#1' },
  '8-14': { ordinal: 'second', suffix: '#2' },
  '15-21': { ordinal: 'third', suffix: '#3' },
  '22-28': { ordinal: 'fourth', suffix: '#4' },
  '29-31': { ordinal: 'fifth', suffix: '#5' },
  '22-31': { ordinal: 'last', suffix: 'L' },
  '23-31': { ordinal: 'last', suffix: 'L' },
  '24-30': { ordinal: 'last', suffix: 'L' },
  '24-31': { ordinal: 'last', suffix: 'L' },
  '25-31': { ordinal: 'last', suffix: 'L' },
}

/**
 * Cron joins day of month and day of week by "or": `0 7 1-7 * MON` runs on eight to eleven days of a month. Returns what to
 * write instead of a five-field expression that sets both; undefined if it sets at most one, or joins them with `+`.
 */
export function dayConflictMessage(expression: string): string | undefined {
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = expression.trim().split(/\s+/)
  const isAny = (field: string) => field === '*' || field === '?'
  if (isAny(day) || isAny(weekday) || weekday.startsWith('+')) return undefined
  const write = (days: string, weekdays: string) => `"${[minute, hour, days, month, weekdays].join(' ')}"`
  const week = weekOf(day)
  const names = weekday.split(',')
  const both = `write ${write(day, `+${weekday}`)} for the days that are both, or * for one of the two`
  const advice =
    week && names.every((name) => /^\w+$/.test(name))
      ? `write ${write('*', names.map((name) => `${name}${week.suffix}`).join(','))} for the ${week.ordinal} ${names.map(weekdayName).join(' and ')} of the month`
      : both
  return `cron runs on the days of the month (${day}) and on each ${names.map(weekdayName).join(', ')} besides: ${advice}`
}

/** The week of the month that a list of days covers, as a range or a list: `1-7` or `1,2,3,4,5,6,7`. */
function weekOf(day: string): { ordinal: string; suffix: string } | undefined {
  const days = day.split(',').flatMap((part) => {
    const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? []
    if (from === undefined) return [Number.NaN]
    return Array.from(
      { length: Math.max(0, Number(to ?? from) - Number(from) + 1) },
      (_, index) => Number(from) + index,
    )
  })
  const sorted = [...new Set(days)].sort((one, other) => one - other)
  const isRun = sorted.every((number, index) => index === 0 || number === (sorted[index - 1] ?? 0) + 1)
  return isRun ? monthWeeks[`${sorted[0]}-${sorted.at(-1)}`] : undefined
}

function weekdayName(field: string): string {
  const index = /^\d$/.test(field)
    ? Number(field) % 7
    : weekdays.findIndex((name) => name.slice(0, 3).toLowerCase() === field.toLowerCase())
  return weekdays[index] ?? field
}
