import { addMs, type Instant, minute } from '../../time/clock.ts'
import type { Sender } from './sender.ts'

/** Longest time until the next check. Checking an edition with a million waiting deliveries loads the store. */
const maxQuietMs = minute

/** Records until when an edition has nothing to send; `wait` null means that it may have something. */
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

/** Whether the last pass found that the edition has nothing to send yet. */
export function isQuiet({ quietUntil: quiet }: Pick<Sender, 'quietUntil'>, editionId: string, now: Instant): boolean {
  const until = quiet.get(editionId)
  return until !== undefined && now < until && until <= addMs(now, maxQuietMs) // a later time means that the clock was set back
}
