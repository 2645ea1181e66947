import type { Db, PaceRow } from './schema.ts'

/** The mail providers that are written to slowly. */
export function slowPaces(db: Db): Promise<PaceRow[]> {
  return db.selectFrom('paces').selectAll().orderBy('name').execute()
}

/** Keeps the paces of those that are slow, and forgets those that are free again. */
export async function keepPaces(db: Db, slow: PaceRow[], free: string[]): Promise<void> {
  for (const row of slow) {
    const { name: _, ...rest } = row
    await db
      .insertInto('paces')
      .values(row)
      .onConflict((conflict) => conflict.column('name').doUpdateSet(rest))
      .execute()
  }
  if (free.length > 0) await db.deleteFrom('paces').where('name', 'in', free).execute()
}
