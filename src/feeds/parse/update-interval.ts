type IntervalHints = { minutes: string; period: string; frequency: string }

/**
 * Seconds between two fetches: `ttl` in minutes (RSS 2.0), else the update period divided by the frequency (RDF Site
 * Summary, Syndication); null without either.
 */
export function updateIntervalSeconds({ minutes, period, frequency }: IntervalHints): number | null {
  const wholeMinutes = /^\d{1,6}(?=\.\d+$|$)/.exec(minutes)?.[0]
  if (wholeMinutes && Number(wholeMinutes) > 0) return Number(wholeMinutes) * 60
  const seconds = periodSeconds.get(period.toLowerCase())
  if (seconds === undefined) return null
  return Math.round(seconds / Math.max(1, Number(/^\d{1,4}$/.exec(frequency)?.[0] ?? 1)))
}

const periodSeconds = new Map([
  ['hourly', 3600],
  ['daily', 86_400],
  ['weekly', 7 * 86_400],
  ['monthly', 30 * 86_400],
  ['yearly', 365 * 86_400],
])
