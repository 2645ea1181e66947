import type { Digest } from '../../editions/digest.ts'
import { readTiming } from '../../editions/schedule/timing.ts'
import { addZoneSends, countWaitingByHour, subscriberZones } from '../../store/deliveries/zone-sends.ts'
import type { Reason } from '../../store/events/reason.ts'
import type { Db, EditionRow } from '../../store/schema.ts'
import { addMs, type Instant, parseDurationMs } from '../../time/clock.ts'
import { instantAt, wallTimeAt } from '../../time/zone.ts'

type Timed = Pick<Digest, 'schedule' | 'zone' | 'localTime' | 'lead'>

/** When an edition is sent to the subscribers of each zone: at the scheduled local day and hour. */
export function zoneSendsOf(
  digest: Pick<Digest, 'zone'>,
  dueAt: Instant,
  zones: string[],
): { zone: string; at: Instant }[] {
  const { date, time } = wallTimeAt(digest.zone, dueAt)
  return zones.map((zone) => ({ zone, at: instantAt(zone, date, time) }))
}

/** When a run is due; with local time, before the first of these zones reaches its hour. */
export function beginsAt(digest: Timed, dueAt: Instant, zones: string[]): Instant {
  if (!digest.localTime) return dueAt
  const [first = dueAt] = [dueAt, ...zoneSendsOf(digest, dueAt, zones).map(({ at }) => at)].sort()
  return addMs(first, digest.lead === undefined ? 0 : -parseDurationMs(digest.lead))
}

/**
 * Stores when the edition is sent to each zone of its subscribers, never before its due time; later changes of the job
 * file do not move these hours. Returns false if everyone gets it at once: without local time, or if a person started
 * the run.
 */
export async function planZoneSends(db: Db, edition: EditionRow, digest: Timed, now: Instant): Promise<boolean> {
  const { localTime, zone } = readTiming(edition, digest)
  if (!localTime) return edition.dueAt > now
  await addZoneSends(db, edition.id, zoneSendsOf({ zone }, edition.dueAt, await subscriberZones(db, edition.digest)))
  return true
}

const maxHoursShown = 5

/** The subscribers who wait for their local hour, earliest first. */
export async function localTimeReasons(db: Db, editionId: string, zone: string, now: Instant): Promise<Reason[]> {
  const hours = await countWaitingByHour(db, editionId, now)
  const shown = hours.slice(0, maxHoursShown)
  const rest = hours.slice(maxHoursShown).reduce((sum, { count }) => sum + count, 0)
  const reasons = shown.map(({ at, count }): Reason => ({ code: 'local-hour', count, at, zone }))
  return rest > 0 ? [...reasons, { code: 'later-hours', count: rest }] : reasons
}
