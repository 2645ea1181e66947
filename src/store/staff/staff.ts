import type { Instant } from '../../time/clock.ts'
import { transaction } from '../drivers/transaction.ts'
import { newId } from '../id.ts'
import type { Db, SessionEndRow, SessionRow } from '../schema.ts'

/** Saves only the hash of a sign-in link, so that a reader of the store cannot sign in with it. */
export async function addSignInLink(
  db: Db,
  link: { hash: string; staff: string; createdAt: Instant; expiresAt: Instant },
): Promise<void> {
  await db
    .insertInto('signInLinks')
    .values({ ...link, usedAt: null })
    .execute()
}

/** The owner of the link, without using it; undefined if it is unknown, used or expired. */
export async function staffOfSignInLink(db: Db, hash: string, now: Instant): Promise<string | undefined> {
  const link = await db
    .selectFrom('signInLinks')
    .select('staff')
    .where('hash', '=', hash)
    .where('usedAt', 'is', null)
    .where('expiresAt', '>', now)
    .executeTakeFirst()
  return link?.staff
}

/** Marks the link as used; returns its owner, or undefined if it is unknown, used or expired. */
export async function useSignInLink(db: Db, hash: string, now: Instant): Promise<string | undefined> {
  const used = await db
    .updateTable('signInLinks')
    .set({ usedAt: now })
    .where('hash', '=', hash)
    .where('usedAt', 'is', null)
    .where('expiresAt', '>', now)
    .returning('staff')
    .executeTakeFirst()
  return used?.staff
}

export async function addSession(db: Db, session: SessionRow): Promise<void> {
  await db.insertInto('sessions').values(session).execute()
}

export function findSession(db: Db, hash: string, now: Instant): Promise<SessionRow | undefined> {
  return db.selectFrom('sessions').selectAll().where('hash', '=', hash).where('expiresAt', '>', now).executeTakeFirst()
}

/** Records a use of the session, unless it has ended. */
export async function extendSession(
  db: Db,
  { hash, lastUsedAt, expiresAt }: Pick<SessionRow, 'hash' | 'lastUsedAt' | 'expiresAt'>,
): Promise<void> {
  await db
    .updateTable('sessions')
    .set({ lastUsedAt, expiresAt })
    .where('hash', '=', hash)
    .where('expiresAt', '>', lastUsedAt)
    .execute()
}

export async function endSession(db: Db, hash: string): Promise<void> {
  await db.deleteFrom('sessions').where('hash', '=', hash).execute()
}

export type SignInLink = { staff: string; createdAt: Instant; expiresAt: Instant }

/** The signed-in staff and those with an unused sign-in link, by name, oldest first. */
export async function listStaff(db: Db, now: Instant): Promise<{ sessions: SessionRow[]; links: SignInLink[] }> {
  const sessions = await db
    .selectFrom('sessions')
    .selectAll()
    .where('expiresAt', '>', now)
    .orderBy('staff')
    .orderBy('createdAt')
    .execute()
  const links = await db
    .selectFrom('signInLinks')
    .select(['staff', 'createdAt', 'expiresAt'])
    .where('usedAt', 'is', null)
    .where('expiresAt', '>', now)
    .orderBy('staff')
    .orderBy('createdAt')
    .execute()
  return { sessions, links }
}

/** The newest records of sessions that a person ended. */
export function sessionEnds(db: Db, limit: number): Promise<SessionEndRow[]> {
  return db.selectFrom('sessionEnds').selectAll().orderBy('at', 'desc').orderBy('id', 'desc').limit(limit).execute()
}

/** Selects the sessions and links of one name, or of all staff if undefined. */
export type SessionEndRequest = { staff: string | undefined; endedBy: string; now: Instant }

/** Ends every session and unused link, and records it for each name. Returns the records: none if there was nothing to end. */
export function endSessions(db: Db, { staff, endedBy, now }: SessionEndRequest): Promise<SessionEndRow[]> {
  return transaction(db, async (trx) => {
    let sessions = trx.deleteFrom('sessions').where('expiresAt', '>', now)
    let links = trx.deleteFrom('signInLinks').where('usedAt', 'is', null).where('expiresAt', '>', now)
    if (staff !== undefined) {
      sessions = sessions.where('staff', '=', staff)
      links = links.where('staff', '=', staff)
    }
    const ended = (await sessions.returning('staff').execute()).map((row) => row.staff)
    const closed = (await links.returning('staff').execute()).map((row) => row.staff)
    const count = (names: string[], name: string) => names.filter((one) => one === name).length
    const records = [...new Set([...ended, ...closed])].sort().map((name) => ({
      id: newId(now),
      staff: name,
      endedBy,
      at: now,
      sessions: count(ended, name),
      links: count(closed, name),
    }))
    if (records.length > 0) await trx.insertInto('sessionEnds').values(records).execute()
    return records
  })
}

/** Deletes expired links, sessions and kept forms. */
export async function deleteExpiredSignIns(db: Db, now: Instant): Promise<void> {
  await db.deleteFrom('signInLinks').where('expiresAt', '<=', now).execute()
  await db.deleteFrom('sessions').where('expiresAt', '<=', now).execute()
  await db.deleteFrom('keptForms').where('expiresAt', '<=', now).execute()
}
