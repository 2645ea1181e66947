import type { Db, ProviderRateRow } from '../schema.ts'

/** The mail providers with a reduced rate, by relay. */
export function slowProviderRates(db: Db): Promise<ProviderRateRow[]> {
  return db.selectFrom('paces').selectAll().orderBy('name').orderBy('relay').execute()
}

/** Saves the rates of slow providers, and deletes those at full speed again. */
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
