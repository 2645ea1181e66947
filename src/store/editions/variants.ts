import { sql } from 'kysely'
import type { Instant } from '../../time/clock.ts'
import type { Db, VariantRow } from '../schema.ts'

export async function addVariant(db: Db, variant: VariantRow): Promise<void> {
  await db.insertInto('variants').values(variant).execute()
}

export function variantsOf(db: Db, editionId: string): Promise<VariantRow[]> {
  return db
    .selectFrom('variants')
    .selectAll()
    .where('editionId', '=', editionId)
    .where('withdrawnAt', 'is', null)
    .orderBy('name')
    .execute()
}

/** The most recently sealed variant of any digest. */
export function lastSealedVariant(db: Db): Promise<VariantRow | undefined> {
  return db
    .selectFrom('variants')
    .selectAll()
    .where('withdrawnAt', 'is', null)
    .orderBy('sealedAt', 'desc')
    .limit(1)
    .executeTakeFirst()
}

/**
 * Removes the seal of an edition that is composed again. Its bytes are kept under `name/id`, which frees the name;
 * returns their SHA-256.
 */
export async function withdrawVariants(db: Db, editionId: string, now: Instant): Promise<string[]> {
  const withdrawn = await db
    .updateTable('variants')
    .set((eb) => ({ name: sql<string>`${eb.ref('name')} || '/' || ${eb.ref('id')}`, withdrawnAt: now }))
    .where('editionId', '=', editionId)
    .where('withdrawnAt', 'is', null)
    .returning('sha256')
    .execute()
  return withdrawn.map(({ sha256 }) => sha256)
}

/** The edition's earlier seals, before it was composed again, oldest first. */
export function withdrawnVariants(db: Db, editionId: string) {
  return db
    .selectFrom('variants')
    .select(['name', 'sha256', 'sealedAt', 'withdrawnAt'])
    .where('editionId', '=', editionId)
    .where('withdrawnAt', 'is not', null)
    .orderBy('withdrawnAt')
    .execute()
}
