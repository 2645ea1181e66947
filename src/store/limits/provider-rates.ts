import type { Db, ProviderRateRow } from '../schema.ts'

/** The mail providers that are written to slowly, by relay. */
export function slowProviderRates(db: Db): Promise<ProviderRateRow[]> {
  return db.selectFrom('paces').selectAll().orderBy('name').orderBy('relay').execute()
}

/** Keeps the paces of those that are slow, and forgets those that are free again. */
export async function saveProviderRates(
  db: Db,
  slow: ProviderRateRow[],
  free: Pick<ProviderRateRow, 'name' | 'relay'>[],
): Promise<void> {
  for (const row of slow) {
    const { name: _name, relay: _relay, ...rest } = row
    await db
      .insertInto('paces')
      .values(row)
      .onConflict((conflict) => conflict.columns(['name', 'relay']).doUpdateSet(rest))
      .execute()
  }
  for (const { name, relay } of free)
    await db.deleteFrom('paces').where('name', '=', name).where('relay', '=', relay).execute()
}
