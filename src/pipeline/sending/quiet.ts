import { addMs, type Instant, minute } from '../../time/clock.ts'
import type { Sender } from './sender.ts'

/** Looked at more often than that an edition with a million deliveries that wait would keep the store busy. */
const maxQuietMs = minute

/** Remembers until when there is nothing to do for an edition; null: there may be something. */
export function recordQuiet(
  { quietUntil: quiet }: Pick<Sender, 'quietUntil'>,
  editionId: string,
  wait: { until: Instant } | null,
  now: Instant,
): void {
  const latest = addMs(now, maxQuietMs)
  if (!wait) quiet.delete(editionId)
  else quiet.set(editionId, wait.until < latest ? wait.until : latest)
}

/** Whether the last pass has found that there is nothing to do for the edition yet. */
export function isQuiet({ quietUntil: quiet }: Pick<Sender, 'quietUntil'>, editionId: string, now: Instant): boolean {
  const until = quiet.get(editionId)
  return until !== undefined && now < until && until <= addMs(now, maxQuietMs) // the clock may have been set back
}
