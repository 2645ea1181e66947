import type { Instant } from '../../time/clock.ts'
import { storableJson } from '../drivers/storable-text.ts'
import { transaction } from '../drivers/transaction.ts'
import { newId } from '../id.ts'
import type { Db, KeptFormRow } from '../schema.ts'

/** A form that was submitted after its session had ended, to be shown again. */
export type KeptForm = { id: string; action: string; fields: Record<string, string> }

export type FormLimits = { perSession: number; inAll: number }

/** Saves a submitted form. The oldest are deleted: first those of the same browser, then those of all. */
export async function saveForm(
  db: Db,
  form: Pick<KeptFormRow, 'sessionHash' | 'staff' | 'action' | 'expiresAt'> & Pick<KeptForm, 'fields'>,
  { perSession, inAll }: FormLimits,
  now: Instant,
): Promise<string> {
  const id = newId(now)
  await transaction(db, async (trx) => {
    await trx
      .insertInto('keptForms')
      .values({ ...form, id, fields: storableJson(form.fields) })
      .execute()
    const newest = trx.selectFrom('keptForms').select('id').orderBy('id', 'desc')
    const ofSession = newest.where('sessionHash', '=', form.sessionHash).limit(perSession)
    await trx
      .deleteFrom('keptForms')
      .where('sessionHash', '=', form.sessionHash)
      .where('id', 'not in', ofSession)
      .execute()
    await trx.deleteFrom('keptForms').where('id', 'not in', newest.limit(inAll)).execute()
  })
  return id
}

/** A session of a browser, and who is signed in with it. */
export type FormOwner = { hash: string; staff: string }

/** The forms that this person submitted in the browser of this session, newest first. */
export async function keptForms(db: Db, { hash, staff }: FormOwner, now: Instant): Promise<KeptForm[]> {
  const rows = await db
    .selectFrom('keptForms')
    .select(['id', 'action', 'fields'])
    .where('sessionHash', '=', hash)
    .where('staff', '=', staff)
    .where('expiresAt', '>', now)
    .orderBy('id', 'desc')
    .execute()
  return rows.map(({ id, action, fields }) => ({ id, action, fields: JSON.parse(fields) as Record<string, string> }))
}

/**
 * Moves a person's forms from one session of a browser to the next; the forms of others stay until they expire. Returns
 * whether there were any.
 */
export async function moveKeptForms(db: Db, from: string, to: FormOwner, now: Instant): Promise<boolean> {
  const moved = await db
    .updateTable('keptForms')
    .set({ sessionHash: to.hash })
    .where('sessionHash', '=', from)
    .where('staff', '=', to.staff)
    .where('expiresAt', '>', now)
    .returning('id')
    .execute()
  return moved.length > 0
}

export async function removeKeptForm(db: Db, { hash, staff }: FormOwner, id: string): Promise<void> {
  const own = db.deleteFrom('keptForms').where('sessionHash', '=', hash).where('staff', '=', staff)
  await own.where('id', '=', id).execute()
}
