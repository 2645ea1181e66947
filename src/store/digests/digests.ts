import type { Instant } from '../../time/clock.ts'
import { transaction } from '../drivers/transaction.ts'
import type { Db } from '../schema.ts'
import { isFromFuture } from './clock-faults.ts'

export type DigestMarks = { firstSeenAt: Instant; decidedUntil: Instant }

/** A calendar as text (five cron fields, or JSON) and its zone; both empty: the job file is missing. */
export type Schedule = { schedule: string; zone: string }

/** The schedule that decides the runs after `at`. */
export type ScheduleChange = Schedule & { at: Instant }

/** `before`: the schedule that this one replaced. `newer`: the schedule that applies instead. */
export type RecordedSchedule = { before?: ScheduleChange | undefined; newer?: ScheduleChange | undefined }

/** The schedules of the digest, oldest first, without those of runs decided long ago. */
export async function schedulesOf(db: Db, name: string): Promise<ScheduleChange[]> {
  const rows = await db.selectFrom('scheduleChanges').selectAll().where('digest', '=', name).orderBy('at').execute()
  return rows.map(({ at, schedule: text }) => {
    const end = text.lastIndexOf(' ')
    return { schedule: text.slice(0, Math.max(0, end)), zone: text.slice(end + 1), at }
  })
}

/**
 * Records from when a process uses this schedule of a digest. The last one that any process read applies, except one
 * from a clock ahead of `now`. A job file that returns with the same schedule counts as never removed; no change writes
 * nothing.
 */
export async function recordSchedule(
  db: Db,
  name: string,
  given: ScheduleChange,
  now: Instant,
): Promise<RecordedSchedule> {
  if (isSameSchedule((await schedulesOf(db, name)).at(-1), given)) return {}
  return await transaction(db, async (trx) => {
    await lockDigest(trx, name, now)
    const known = await schedulesOf(trx, name)
    const last = known.at(-1)
    if (isSameSchedule(last, given)) return {}
    const isLater = last !== undefined && last.at >= given.at && !isFromFuture(last.at, now)
    if (isLater && last.schedule !== '') return { newer: last }
    const { decidedUntil } = await digestMarks(trx, name, now)
    await saveSchedules(trx, name, withChange(known, isLater ? { ...given, at: now } : given), decidedUntil)
    return { before: last }
  })
}

/** Records that the digest's job file is missing since `at`: no run is due until it returns. */
export async function recordJobFileAway(db: Db, name: string, at: Instant): Promise<void> {
  await recordSchedule(db, name, { schedule: '', zone: '', at }, at)
}

function withChange(known: ScheduleChange[], given: ScheduleChange): ScheduleChange[] {
  const earlier = known.filter(({ at }) => at < given.at)
  if (earlier.at(-1)?.schedule === '' && isSameSchedule(earlier.at(-2), given)) return earlier.slice(0, -1)
  return isSameSchedule(earlier.at(-1), given) ? earlier : [...earlier, given]
}

/** Leaves out schedules that ended before the runs that are still open. */
async function saveSchedules(db: Db, name: string, changes: ScheduleChange[], decidedUntil: Instant): Promise<void> {
  const first = changes.findLastIndex(({ at }) => at <= decidedUntil)
  const rows = changes
    .slice(Math.max(0, first))
    .map((change) => ({ digest: name, at: change.at, schedule: scheduleText(change) }))
  await db.deleteFrom('scheduleChanges').where('digest', '=', name).execute()
  if (rows.length > 0) await db.insertInto('scheduleChanges').values(rows).execute()
}

function isSameSchedule(one: Schedule | undefined, other: Schedule): boolean {
  return one !== undefined && scheduleText(one) === scheduleText(other)
}

function scheduleText({ schedule, zone }: Schedule): string {
  return schedule === '' ? '' : `${schedule} ${zone}`
}

/**
 * The instant up to which every due run of the digest is decided. A new digest is added here with the current time, so
 * that earlier runs do not count as missed.
 */
export async function digestMarks(db: Db, name: string, now: Instant): Promise<DigestMarks> {
  await ensureDigest(db, name, now)
  return await db
    .selectFrom('digests')
    .select(['firstSeenAt', 'decidedUntil'])
    .where('name', '=', name)
    .executeTakeFirstOrThrow()
}

/** The same without writing; undefined for a new digest. */
export function findDigestMarks(db: Db, name: string): Promise<DigestMarks | undefined> {
  return db.selectFrom('digests').select(['firstSeenAt', 'decidedUntil']).where('name', '=', name).executeTakeFirst()
}

/** Sets the first appearance of the digest to now, instead of a later time from a wrong clock. */
export async function resetFirstSeen(db: Db, name: string, now: Instant): Promise<void> {
  await db
    .updateTable('digests')
    .set({ firstSeenAt: now })
    .where('name', '=', name)
    .where('firstSeenAt', '>', now)
    .execute()
}

/** Moves the mark forward, and never back, even if the clock was set back. */
export async function markDecided(db: Db, name: string, dueAt: Instant): Promise<void> {
  await db
    .updateTable('digests')
    .set({ decidedUntil: dueAt })
    .where('name', '=', name)
    .where('decidedUntil', '<', dueAt)
    .execute()
}

/** Prevents other processes from composing an edition of the digest until this transaction ends. */
export async function lockDigest(db: Db, name: string, now: Instant): Promise<void> {
  await ensureDigest(db, name, now)
  await db
    .updateTable('digests')
    .set((eb) => ({ decidedUntil: eb.ref('decidedUntil') }))
    .where('name', '=', name)
    .execute()
}

/** The same for all digests: these, and those with a missing job file. Locks them in one order to prevent deadlock. */
export async function lockAllDigests(db: Db, names: string[], now: Instant): Promise<void> {
  const known = await db.selectFrom('digests').select('name').execute()
  for (const name of [...new Set([...names, ...known.map((row) => row.name)])].sort()) await lockDigest(db, name, now)
}

async function ensureDigest(db: Db, name: string, now: Instant): Promise<void> {
  await db
    .insertInto('digests')
    .values({ name, firstSeenAt: now, decidedUntil: now })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
}
