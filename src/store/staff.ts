import type { Instant } from '../clock.ts'
import type { Db } from './schema.ts'

/** Keeps only the hash of a sign-in link: who reads the store cannot sign in with it. */
export async function addSignInLink(
  db: Db,
  link: { hash: string; staff: string; createdAt: Instant; expiresAt: Instant },
): Promise<void> {
  await db
    .insertInto('signInLinks')
    .values({ ...link, usedAt: null })
    .execute()
}

/** Who the link is for, without using it up; nothing if it is unknown, used or too old. */
export async function openSignInLink(db: Db, hash: string, now: Instant): Promise<string | undefined> {
  const link = await db
    .selectFrom('signInLinks')
    .select('staff')
    .where('hash', '=', hash)
    .where('usedAt', 'is', null)
    .where('expiresAt', '>', now)
    .executeTakeFirst()
  return link?.staff
}

/** Uses the link up; returns who it was for, or nothing if it is unknown, used or too old. */
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

export async function addSession(
  db: Db,
  session: { hash: string; staff: string; createdAt: Instant; expiresAt: Instant },
): Promise<void> {
  await db.insertInto('sessions').values(session).execute()
}

export async function sessionStaff(db: Db, hash: string, now: Instant): Promise<string | undefined> {
  const session = await db
    .selectFrom('sessions')
    .select('staff')
    .where('hash', '=', hash)
    .where('expiresAt', '>', now)
    .executeTakeFirst()
  return session?.staff
}

export async function endSession(db: Db, hash: string): Promise<void> {
  await db.deleteFrom('sessions').where('hash', '=', hash).execute()
}

/** Forgets links and sessions whose time is over. */
export async function forgetExpired(db: Db, now: Instant): Promise<void> {
  await db.deleteFrom('signInLinks').where('expiresAt', '<=', now).execute()
  await db.deleteFrom('sessions').where('expiresAt', '<=', now).execute()
}
