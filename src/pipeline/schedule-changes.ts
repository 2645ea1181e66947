import type { App } from '../app.ts'
import type { Digest } from '../editions/digest.ts'
import { recordSchedule } from '../store/digests/digests.ts'

/**
 * Writes down that the schedule of the digest counts from the instant on at which this process read it. Where another
 * process has read a different one since, that one counts, here too: the log is told once.
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
