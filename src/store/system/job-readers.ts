import { addMs, type Instant, minute } from '../../time/clock.ts'
import type { Db } from '../schema.ts'

/** A job file that a running `start` rejects. */
export type JobProblem = {
  /** The path of the file for that process. */
  file: string
  /** What is wrong, with the line. */
  message: string
  since: Instant
  /** When the version that the digest runs by was read; null: there is none. */
  runsBy: Instant | null
}

/** A reader not seen for this long is dead. */
const silenceMs = 2 * minute

export type JobReader = { id: string; folder: string; rejected: JobProblem[] }

/** Records that a `start` process reads the job files of the folder, and which it rejects. */
export async function saveJobReader(db: Db, { id, folder, rejected }: JobReader, seenAt: Instant): Promise<void> {
  const row = { folder, seenAt, rejected: JSON.stringify(rejected) }
  await db
    .insertInto('jobReaders')
    .values({ id, ...row })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
    .execute()
  await db.deleteFrom('jobReaders').where('seenAt', '<', addMs(seenAt, -silenceMs)).execute()
}

export async function removeJobReader(db: Db, id: string): Promise<void> {
  await db.deleteFrom('jobReaders').where('id', '=', id).execute()
}

/** The `start` processes that reported within the last two minutes. */
export async function jobReaders(db: Db, now: Instant): Promise<JobReader[]> {
  const rows = await db
    .selectFrom('jobReaders')
    .selectAll()
    .where('seenAt', '>=', addMs(now, -silenceMs))
    .orderBy('id')
    .execute()
  return rows.map(({ id, folder, rejected }) => ({ id, folder, rejected: JSON.parse(rejected) }))
}
