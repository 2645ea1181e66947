import type { Instant } from '../../time/clock.ts'
import { openStatuses } from '../edition-status.ts'
import type { Db, EditionRow, EditionStatus } from '../schema.ts'

/** Adds the edition unless the digest already has one for that instant. Returns whether it was added. */
export async function addEdition(db: Db, edition: EditionRow): Promise<boolean> {
  const made = await db
    .insertInto('editions')
    .values(edition)
    .onConflict((conflict) => conflict.columns(['digest', 'dueAt']).doNothing())
    .returning('id')
    .executeTakeFirst()
  return made !== undefined
}

/** Updates the edition if it has one of the given states. Returns whether it did. */
export async function moveEdition(
  db: Db,
  id: string,
  from: EditionStatus[],
  change: Partial<Omit<EditionRow, 'id'>>,
): Promise<boolean> {
  const moved = await db
    .updateTable('editions')
    .set(change)
    .where('id', '=', id)
    .where('status', 'in', from)
    .returning('id')
    .executeTakeFirst()
  return moved !== undefined
}

export function editionById(db: Db, id: string): Promise<EditionRow | undefined> {
  return db.selectFrom('editions').selectAll().where('id', '=', id).executeTakeFirst()
}

/** The largest integer of the column. */
const maxNumber = 2 ** 31 - 1

export function editionByRef(db: Db, ref: string): Promise<EditionRow | undefined> {
  return db.selectFrom('editions').selectAll().where('ref', '=', ref).executeTakeFirst()
}

/** Undefined also for an invalid edition number, which PostgreSQL refuses to compare. */
export async function editionByNumber(db: Db, digest: string, number: number): Promise<EditionRow | undefined> {
  if (!Number.isInteger(number) || number < 0 || number > maxNumber) return undefined
  return await db
    .selectFrom('editions')
    .selectAll()
    .where('digest', '=', digest)
    .where('number', '=', number)
    .executeTakeFirst()
}

/** The newest editions that were sent completely and are public; `on` and `off` are digests, by their job files. */
export function archivedEditions(
  db: Db,
  { on, off, limit }: { on: string[]; off: string[]; limit: number },
): Promise<EditionRow[]> {
  let query = db.selectFrom('editions').selectAll().where('status', '=', 'sent')
  if (off.length > 0) query = query.where('digest', 'not in', off)
  query = query.where((eb) =>
    on.length > 0 ? eb.or([eb('digest', 'in', on), eb('archive', '=', 'on')]) : eb('archive', '=', 'on'),
  )
  return query.orderBy('dueAt', 'desc').orderBy('id', 'desc').limit(limit).execute()
}

export type EditionFilter = { digest?: string | undefined; statuses?: EditionStatus[]; skip?: number; limit: number }

export function latestEditions(db: Db, { digest, statuses, skip = 0, limit }: EditionFilter): Promise<EditionRow[]> {
  let query = db.selectFrom('editions').selectAll()
  if (digest !== undefined) query = query.where('digest', '=', digest)
  if (statuses !== undefined) query = query.where('status', 'in', statuses)
  return query.orderBy('dueAt', 'desc').orderBy('id', 'desc').limit(limit).offset(skip).execute()
}

export function editionsByStatus(db: Db, statuses: EditionStatus[], digest?: string): Promise<EditionRow[]> {
  let query = db.selectFrom('editions').selectAll().where('status', 'in', statuses)
  if (digest !== undefined) query = query.where('digest', '=', digest)
  return query.orderBy('dueAt').execute()
}

/** Skipped runs of these digests that were due since then, by due time. */
export async function skippedEditions(db: Db, digests: string[], since: Instant): Promise<EditionRow[]> {
  if (digests.length === 0) return []
  return await db
    .selectFrom('editions')
    .selectAll()
    .where('status', '=', 'skipped')
    .where('digest', 'in', digests)
    .where('dueAt', '>=', since)
    .orderBy('dueAt')
    .execute()
}

/** The due times of the digest's editions from that instant on, without skipped and cancelled ones. */
export async function editionTimesSince(db: Db, digest: string, since: Instant): Promise<Instant[]> {
  const rows = await db
    .selectFrom('editions')
    .select('dueAt')
    .where('digest', '=', digest)
    .where('dueAt', '>=', since)
    .where('status', 'not in', ['skipped', 'cancelled'])
    .orderBy('dueAt')
    .execute()
  return rows.map(({ dueAt }) => dueAt)
}

/** An edition of the same digest that was due later and is sent or being sent. */
export function newerSentEdition(
  db: Db,
  { digest, dueAt }: Pick<EditionRow, 'digest' | 'dueAt'>,
): Promise<EditionRow | undefined> {
  return db
    .selectFrom('editions')
    .selectAll()
    .where('digest', '=', digest)
    .where('dueAt', '>', dueAt)
    .where((eb) => eb.or([eb('status', 'in', ['sending', 'paused', 'sent']), eb('audienceAt', 'is not', null)]))
    .orderBy('dueAt', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/** Whether the digest has an edition that has not ended. */
export async function hasOpenEdition(db: Db, digest: string): Promise<boolean> {
  const open = await db
    .selectFrom('editions')
    .select('id')
    .where('digest', '=', digest)
    .where('status', 'in', openStatuses)
    .limit(1)
    .executeTakeFirst()
  return open !== undefined
}

/** Editions without approval (composed, sealed or held), of one digest or of all, by due time. */
export function unapprovedEditions(db: Db, digest?: string): Promise<EditionRow[]> {
  return editionsByStatus(db, ['composed', 'sealed', 'held'], digest)
}

/** The last due time of an edition of the digest that was sent, or is about to be. */
export async function lastOutgoingDueAt(db: Db, digest: string): Promise<Instant | undefined> {
  const row = await db
    .selectFrom('editions')
    .select((eb) => eb.fn.max('dueAt').as('dueAt'))
    .where('digest', '=', digest)
    .where('status', 'in', ['sealed', 'approved', 'sending', 'sent'])
    .executeTakeFirst()
  return row?.dueAt ?? undefined
}

/** The number of the digest's next edition: one more than the highest ever given. */
export async function nextNumber(db: Db, digest: string): Promise<number> {
  return (await highestNumber(db, digest)) + 1
}

/** The highest number of the digest's editions, or of those due by then; 0: none. */
export async function highestNumber(db: Db, digest: string, dueBy?: Instant): Promise<number> {
  let query = db
    .selectFrom('editions')
    .select((eb) => eb.fn.max('number').as('highest'))
    .where('digest', '=', digest)
  if (dueBy !== undefined) query = query.where('dueAt', '<=', dueBy)
  return Number((await query.executeTakeFirst())?.highest ?? 0)
}

/** The current edition, locked until this transaction ends. */
export function lockEdition(db: Db, id: string): Promise<EditionRow | undefined> {
  return db
    .updateTable('editions')
    .set((eb) => ({ status: eb.ref('status') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
}
