import type { Instant } from '../../time/clock.ts'
import type { Db } from '../schema.ts'

/** The stored mail providers of these domains, if found since then. */
export async function knownProviders(db: Db, domains: string[], foundSince: Instant): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (let start = 0; start < domains.length; start += 500) {
    const rows = await db
      .selectFrom('providers')
      .select(['domain', 'provider'])
      .where('domain', 'in', domains.slice(start, start + 500))
      .where('foundAt', '>=', foundSince)
      .execute()
    for (const { domain, provider } of rows) found.set(domain, provider)
  }
  return found
}

export async function saveProviders(db: Db, found: Map<string, string>, now: Instant): Promise<void> {
  const rows = [...found]
    .map(([domain, provider]) => ({ domain, provider, foundAt: now }))
    .sort((a, b) => (a.domain < b.domain ? -1 : 1)) // in one order, to prevent deadlock
  for (let start = 0; start < rows.length; start += 200) {
    await db
      .insertInto('providers')
      .values(rows.slice(start, start + 200))
      .onConflict((conflict) =>
        conflict
          .column('domain')
          .doUpdateSet((eb) => ({ provider: eb.ref('excluded.provider'), foundAt: eb.ref('excluded.foundAt') })),
      )
      .execute()
  }
}

/** Deletes results from before then; those domains are looked up again. */
export async function deleteOldProviders(db: Db, foundBefore: Instant): Promise<void> {
  await db.deleteFrom('providers').where('foundAt', '<', foundBefore).execute()
}
