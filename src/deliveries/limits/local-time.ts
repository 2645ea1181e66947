import type { Digest } from '../../editions/digest.ts'
import { readTiming } from '../../editions/schedule/timing.ts'
import { addZoneSends, countWaitingByHour, subscriberZones } from '../../store/deliveries/zone-sends.ts'
import type { Db, EditionRow } from '../../store/schema.ts'
import { addMs, type Instant, parseDurationMs } from '../../time/clock.ts'
import { instantAt, wallTimeAt, wallTimeText } from '../../time/zone.ts'

type Timed = Pick<Digest, 'schedule' | 'zone' | 'localTime' | 'lead'>

/** When an edition goes to the subscribers of each zone: on the day and at the hour of the schedule, by their clocks. */
export function zoneSendsOf(
  digest: Pick<Digest, 'zone'>,
  dueAt: Instant,
  zones: string[],
): { zone: string; at: Instant }[] {
  const { date, time } = wallTimeAt(digest.zone, dueAt)
  return zones.map((zone) => ({ zone, at: instantAt(zone, date, time) }))
}

/** When a run is to be made: when it is due, or with local time before the first of these zones has its hour. */
export function beginsAt(digest: Timed, dueAt: Instant, zones: string[]): Instant {
  if (!digest.localTime) return dueAt
  const [first = dueAt] = [dueAt, ...zoneSendsOf(digest, dueAt, zones).map(({ at }) => at)].sort()
  return addMs(first, digest.lead === undefined ? 0 : -parseDurationMs(digest.lead))
}

/**
 * Writes down when the edition goes to each zone of its subscribers; false if everybody gets it at once: without local
 * time, and when somebody made it by hand. That is decided by what the edition was made with: a job file that was changed
 * since moves nobody's hour. Nobody gets an edition before the time that it is due.
 */
export async function planZoneSends(db: Db, edition: EditionRow, digest: Timed, now: Instant): Promise<boolean> {
  const { localTime, zone } = readTiming(edition, digest)
  if (!localTime) return edition.dueAt > now
  await addZoneSends(db, edition.id, zoneSendsOf({ zone }, edition.dueAt, await subscriberZones(db, edition.digest)))
  return true
}

const maxHoursShown = 5

/** Who waits for an hour, for a person; the earliest first. */
export async function localTimeReasons(db: Db, editionId: string, zone: string, now: Instant): Promise<string[]> {
  const hours = await countWaitingByHour(db, editionId, now)
  const shown = hours.slice(0, maxHoursShown)
  const rest = hours.slice(maxHoursShown).reduce((sum, { count }) => sum + count, 0)
  const reasons = shown.map(({ at, count }) => `${count} wait for their hour, ${wallTimeText(zone, at)}`)
  return rest > 0 ? [...reasons, `${rest} wait for a later hour`] : reasons
}
