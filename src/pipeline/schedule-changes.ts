import type { App } from '../app.ts'
import type { Digest } from '../editions/digest.ts'
import { recordSchedule } from '../store/digests/digests.ts'

/**
 * Stores the schedule of the digest as valid from the time when this process read it. If another process read a different
 * schedule later, that one applies here too, and a warning is logged once.
 */
export async function saveSchedule(
  { db, clock, log, schedules }: Pick<App, 'db' | 'clock' | 'log' | 'schedules'>,
  digest: Digest,
): Promise<void> {
  const now = clock.now()
  const at = schedules.loadedAt(digest, now)
  if (at === undefined) return
  const { name, schedule, zone } = digest
  const { before, newer } = await recordSchedule(db, name, { schedule, zone, at }, now)
  if (before) {
    const fields = { event: 'schedule.changed', digest: name, schedule, zone, since: at, before: before.schedule }
    log.info(fields, 'new schedule')
  }
  if (newer && schedules.isUnreported(name, newer)) {
    const { schedule: used, zone: usedZone, at: since } = newer
    log.warn(
      { event: 'schedule.differs', digest: name, schedule, zone, used, usedZone, since },
      'another process read a different schedule later, and its times are used; give both the same job file',
    )
  }
}
