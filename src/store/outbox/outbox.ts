import type { ExpressionBuilder } from 'kysely'
import { addMs, day, hour, type Instant, minute } from '../../time/clock.ts'
import type { Reason } from '../events/reason.ts'
import { newId } from '../id.ts'
import { toJson } from '../json.ts'
import type { Db, OutboxRow, Schema } from '../schema.ts'

/**
 * The data of each kind of email, which is written when it is sent, so that no link with access rights is stored. A
 * reason is a text in rows of earlier versions.
 */
export type MailFacts = {
  'edition-paused': { edition: string; at: Instant; reason: Reason | string }
  'edition-replaced': { edition: string; by: number }
  'edition-waiting': { edition: string }
  'edition-reminder': { edition: string }
  'relay-failing': { edition: string; relay: string; at: Instant; reason: Reason | string }
  'run-skipped': { edition: string }
  'feed-trouble': { feed: string; trouble: string }
  'wrong-clock': { fault: string }
  confirmation: { confirmation: string }
  /** `address` as typed in the sign-in form, not yet known to be of staff; `next`: the page to open after it. */
  'sign-in': { address: string; next: string }
}

export type MailKind = keyof MailFacts

/**
 * `about`: the ids that identify the email within its kind; a second one with the same ids is not added. Without times
 * it is due now, and expires after a week.
 */
export type NewMail = {
  [Kind in MailKind]: { kind: Kind; about: string[]; facts: MailFacts[Kind]; notBefore?: Instant; expiresAt?: Instant }
}[MailKind]

const lifetimeMs = 7 * day
/** After this another process may send the email of one that died. A living process renews its lease. */
const leaseMs = 10 * minute
export const leaseRenewalMs = leaseMs / 5
/** The longest wait for the next attempt; a later time is from a wrong clock. */
const maxWaitMs = hour

export function mailKey(kind: MailKind, about: string[]): string {
  return [kind, ...about].join(':')
}

/** Adds emails unless they were added before, in the transaction that makes them necessary. */
export async function addMails(db: Db, mails: NewMail[], now: Instant): Promise<void> {
  const rows = mails.map(({ kind, about, facts, notBefore = now, expiresAt = addMs(now, lifetimeMs) }) => {
    const never = {
      leasedUntil: null,
      sentAt: null,
      failedAt: null,
      recipient: null,
      subject: null,
      reply: null,
      reason: null,
    }
    const key = mailKey(kind, about)
    return { id: newId(now), kind, key, facts: toJson<object>(facts), createdAt: now, notBefore, expiresAt, ...never }
  })
  const known = await mailsByKey(
    db,
    rows.map(({ key }) => key),
  )
  const added = rows.filter(({ key }) => !known.has(key)).map((row) => ({ ...row, attempts: 0 }))
  if (added.length === 0) return
  await db
    .insertInto('outbox')
    .values(added)
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute()
}

/** Limits the values of one statement. */
const maxKeys = 500

export async function mailsByKey(db: Db, keys: string[]): Promise<Map<string, OutboxRow>> {
  const found = new Map<string, OutboxRow>()
  for (let start = 0; start < keys.length; start += maxKeys) {
    const page = keys.slice(start, start + maxKeys)
    const rows = await db.selectFrom('outbox').selectAll().where('key', 'in', page).execute()
    for (const row of rows) found.set(row.key, row)
  }
  return found
}

/** All rows of a kind, the oldest first. */
export function mailsOfKind(db: Db, kind: MailKind): Promise<OutboxRow[]> {
  return db.selectFrom('outbox').selectAll().where('kind', '=', kind).orderBy('id').execute()
}

/** The emails that can be sent now, without these kinds, longest due first. */
export async function dueMails(
  db: Db,
  now: Instant,
  { except, limit }: { except: MailKind[]; limit: number },
): Promise<Pick<OutboxRow, 'id' | 'kind'>[]> {
  return await db
    .selectFrom('outbox')
    .select(['id', 'kind'])
    .where('sentAt', 'is', null)
    .where('failedAt', 'is', null)
    .where('expiresAt', '>', now)
    .where((eb) => eb.or([eb('notBefore', '<=', now), eb('notBefore', '>', addMs(now, maxWaitMs))]))
    .where((eb) => isFree(eb, now))
    .$if(except.length > 0, (query) => query.where('kind', 'not in', except))
    .orderBy('notBefore')
    .orderBy('id')
    .limit(limit)
    .execute()
}

/** Claims an email; undefined if another process has it, or has sent it. */
export function claimMail(db: Db, id: string, now: Instant): Promise<OutboxRow | undefined> {
  return db
    .updateTable('outbox')
    .set({ leasedUntil: addMs(now, leaseMs) })
    .where('id', '=', id)
    .where('sentAt', 'is', null)
    .where('failedAt', 'is', null)
    .where((eb) => isFree(eb, now))
    .returningAll()
    .executeTakeFirst()
}

/** Renews the lease of emails that this process is still sending. */
export async function renewLease(db: Db, ids: string[], now: Instant): Promise<void> {
  await db
    .updateTable('outbox')
    .set({ leasedUntil: addMs(now, leaseMs) })
    .where('id', 'in', ids)
    .where('leasedUntil', 'is not', null)
    .execute()
}

/** Whether no process is sending it. A lease that ends too late is from a wrong clock. */
function isFree(eb: ExpressionBuilder<Schema, 'outbox'>, now: Instant) {
  return eb.or([
    eb('leasedUntil', 'is', null),
    eb('leasedUntil', '<=', now),
    eb('leasedUntil', '>', addMs(now, leaseMs)),
  ])
}

export type Attempt = Pick<OutboxRow, 'recipient' | 'subject' | 'reply' | 'reason'>

/**
 * The result of an attempt: the email is sent, has failed, or is tried again at `notBefore`. Both `sentAt` and `failedAt`:
 * it may not have arrived, and is not tried again.
 */
export type AttemptResult =
  | { sentAt: Instant }
  | { failedAt: Instant }
  | { sentAt: Instant; failedAt: Instant }
  | { notBefore: Instant }

export async function recordAttempt(db: Db, id: string, attempt: Attempt, result: AttemptResult): Promise<void> {
  await db
    .updateTable('outbox')
    .set((eb) => ({ ...attempt, ...result, leasedUntil: null, attempts: eb('attempts', '+', 1) }))
    .where('id', '=', id)
    .execute()
}

/** When an email that has failed `attempts` times is tried again: after 5, 10, 20, 40 minutes, then every hour. */
export function nextAttemptAt(attempts: number, now: Instant): Instant {
  return addMs(now, Math.min(maxWaitMs, 5 * minute * 2 ** Math.min(attempts - 1, 10)))
}

/** Releases emails that were not tried, and postpones them until then. */
export async function postponeMails(db: Db, ids: string[], notBefore: Instant): Promise<void> {
  await db.updateTable('outbox').set({ notBefore, leasedUntil: null }).where('id', 'in', ids).execute()
}

export async function deleteMails(db: Db, by: { ids: string[] } | { keys: string[] }): Promise<void> {
  const query = db.deleteFrom('outbox')
  await ('ids' in by ? query.where('id', 'in', by.ids) : query.where('key', 'in', by.keys)).execute()
}

/** The emails since then that were refused, have expired or may not have arrived, newest first. */
export function failedMails(db: Db, since: Instant, now: Instant, limit: number): Promise<OutboxRow[]> {
  return db
    .selectFrom('outbox')
    .selectAll()
    .where((eb) =>
      eb.or([
        eb('failedAt', '>=', since),
        eb.and([eb('sentAt', 'is', null), eb('expiresAt', '>=', since), eb('expiresAt', '<=', now)]),
      ]),
    )
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}

/** Deletes emails of a kind that were sent, or failed, before that. */
export async function deleteFinishedMails(db: Db, kind: MailKind, before: Instant): Promise<void> {
  await db
    .deleteFrom('outbox')
    .where('kind', '=', kind)
    .where((eb) => eb.or([eb('sentAt', '<', before), eb('failedAt', '<', before)]))
    .execute()
}

/** Deletes emails of a kind that expired before they were sent. */
export async function deleteExpiredMails(db: Db, kind: MailKind, now: Instant): Promise<void> {
  const expired = db.deleteFrom('outbox').where('kind', '=', kind).where('expiresAt', '<=', now)
  await expired.where('sentAt', 'is', null).where('failedAt', 'is', null).execute()
}
