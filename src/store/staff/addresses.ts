import type { Instant } from '../../time/clock.ts'
import { transaction } from '../drivers/transaction.ts'
import type { Db, StaffRow } from '../schema.ts'
import { endSessions } from './staff.ts'

/** Saves the address of a person, in place of an earlier one. Returns the name of another owner of it, who keeps it. */
export function saveStaffAddress(db: Db, row: StaffRow): Promise<string | undefined> {
  return transaction(db, async (trx) => {
    const owner = await staffByEmailKey(trx, row.emailKey)
    if (owner !== undefined && owner.name !== row.name) return owner.name
    await trx
      .insertInto('staff')
      .values(row)
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ email: row.email, emailKey: row.emailKey }))
      .execute()
    return undefined
  })
}

/** Removes a person's address, and ends their sessions and unused links. False if the name has no address. */
export function removeStaff(db: Db, name: string, endedBy: string, now: Instant): Promise<boolean> {
  return transaction(db, async (trx) => {
    const removed = await trx.deleteFrom('staff').where('name', '=', name).returning('name').execute()
    if (removed.length === 0) return false
    await endSessions(trx, { staff: name, endedBy, now })
    return true
  })
}

export function staffByEmailKey(db: Db, emailKey: string): Promise<StaffRow | undefined> {
  return db.selectFrom('staff').selectAll().where('emailKey', '=', emailKey).executeTakeFirst()
}

export function staffByName(db: Db, name: string): Promise<StaffRow | undefined> {
  return db.selectFrom('staff').selectAll().where('name', '=', name).executeTakeFirst()
}

/** The people with an address, by name. */
export function staffWithAddresses(db: Db): Promise<StaffRow[]> {
  return db.selectFrom('staff').selectAll().orderBy('name').execute()
}
