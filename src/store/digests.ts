import type { Instant } from '../clock.ts'
import type { Db } from './schema.ts'

export type DigestMarks = { firstSeenAt: Instant; decidedUntil: Instant }

/** Five cron fields, and the zone that they are in. */
export type Schedule = { schedule: string; zone: string }

/**
 * The schedule by which the runs of the digest were decided so far, where it is another one; an empty one: its job file
 * was away. The first schedule of a digest is written down.
 */
export async function earlierSchedule(db: Db, name: string, given: Schedule): Promise<Schedule | undefined> {
  const row = await db.selectFrom('digests').select('schedule').where('name', '=', name).executeTakeFirst()
  if (row?.schedule == null) await saveSchedule(db, name, given)
  if (row?.schedule == null || row.schedule === scheduleText(given)) return undefined
  const at = row.schedule.lastIndexOf(' ')
  return { schedule: row.schedule.slice(0, Math.max(0, at)), zone: row.schedule.slice(at + 1) }
}

/** From now on the runs of the digest are decided by this schedule. */
export async function saveSchedule(db: Db, name: string, schedule: Schedule): Promise<void> {
  await db
    .updateTable('digests')
    .set({ schedule: scheduleText(schedule) })
    .where('name', '=', name)
    .execute()
}

/** The job file of the digest is away: nothing is due until it is back. */
export async function forgetSchedule(db: Db, name: string): Promise<void> {
  await db.updateTable('digests').set({ schedule: '' }).where('name', '=', name).execute()
}

function scheduleText({ schedule, zone }: Schedule): string {
  return `${schedule} ${zone}`
}

/**
 * The instant up to which every due run of the digest has been decided. A digest that is new is met here: nothing that
 * was due before now is a missed run.
 */
export async function digestMarks(db: Db, name: string, now: Instant): Promise<DigestMarks> {
  await meetDigest(db, name, now)
  return await db
    .selectFrom('digests')
    .select(['firstSeenAt', 'decidedUntil'])
    .where('name', '=', name)
    .executeTakeFirstOrThrow()
}

/** The same where nothing may be written; undefined for a digest that is new. */
export function knownMarks(db: Db, name: string): Promise<DigestMarks | undefined> {
  return db.selectFrom('digests').select(['firstSeenAt', 'decidedUntil']).where('name', '=', name).executeTakeFirst()
}

/** The digest is met now, and not at the later time that a wrong clock showed. */
export async function meetAgain(db: Db, name: string, now: Instant): Promise<void> {
  await db
    .updateTable('digests')
    .set({ firstSeenAt: now })
    .where('name', '=', name)
    .where('firstSeenAt', '>', now)
    .execute()
}

/** Moves the mark on; it never goes back, whatever the clock does. */
export async function decide(db: Db, name: string, dueAt: Instant): Promise<void> {
  await db
    .updateTable('digests')
    .set({ decidedUntil: dueAt })
    .where('name', '=', name)
    .where('decidedUntil', '<', dueAt)
    .execute()
}

/** Lets nobody else make an edition of the digest until this transaction ends. */
export async function lockDigest(db: Db, name: string, now: Instant): Promise<void> {
  await meetDigest(db, name, now)
  await db
    .updateTable('digests')
    .set((eb) => ({ decidedUntil: eb.ref('decidedUntil') }))
    .where('name', '=', name)
    .execute()
}

/** The same for all digests: these, and those of which the job files are away. In one order, so that nobody waits in a circle. */
export async function lockAllDigests(db: Db, names: string[], now: Instant): Promise<void> {
  const known = await db.selectFrom('digests').select('name').execute()
  for (const name of [...new Set([...names, ...known.map((row) => row.name)])].sort()) await lockDigest(db, name, now)
}

async function meetDigest(db: Db, name: string, now: Instant): Promise<void> {
  await db
    .insertInto('digests')
    .values({ name, firstSeenAt: now, decidedUntil: now, schedule: null })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
}
