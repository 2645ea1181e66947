import type { Instant } from '../../time/clock.ts'
import { indexKey } from '../articles/identity.ts'
import { transaction } from '../drivers/transaction.ts'
import type { Reason } from '../events/reason.ts'
import { fromJson, type Json, toJson } from '../json.ts'
import type { Db, PictureRow } from '../schema.ts'

/** A stored picture without its bytes; sizes in pixels. */
export type StoredPicture = Pick<PictureRow, 'hash' | 'type' | 'width' | 'height'>

/** What was made of a picture at its address: the picture, or the reason why there is none. */
export type PictureSource = { fetchedAt: Instant } & ({ picture: StoredPicture } | { reason: Reason })

/** The key of a picture at an address, made for a role. */
export function pictureKey(url: string, role: string): string {
  return `${role} ${indexKey(url)}`
}

/** The known pictures of these keys. */
export async function pictureSources(db: Db, keys: string[]): Promise<Map<string, PictureSource>> {
  if (keys.length === 0) return new Map()
  const rows = await db
    .selectFrom('pictureSources as source')
    .leftJoin('pictures', 'pictures.hash', 'source.hash')
    .select(['source.key', 'source.fetchedAt', 'source.reason'])
    .select(['pictures.hash', 'pictures.type', 'pictures.width', 'pictures.height'])
    .where('source.key', 'in', keys)
    .execute()
  return new Map(rows.map((row) => [row.key, toSource(row)]))
}

type SourceRow = { fetchedAt: Instant; reason: Json<Reason> | null } & {
  [K in keyof StoredPicture]: StoredPicture[K] | null
}

function toSource({ fetchedAt, reason, hash, type, width, height }: SourceRow): PictureSource {
  if (hash === null || type === null || width === null || height === null)
    return { fetchedAt, reason: reason === null ? { code: 'picture-late' } : fromJson(reason) }
  return { fetchedAt, picture: { hash, type, width, height } }
}

/** Saves a picture and where it is from. Bytes that are stored already are stored once. */
export async function savePicture(db: Db, key: string, picture: PictureRow): Promise<void> {
  const { madeAt, hash } = picture
  const source = { key, hash, reason: null, fetchedAt: madeAt }
  await transaction(db, async (trx) => {
    await trx
      .insertInto('pictures')
      .values(picture)
      .onConflict((conflict) => conflict.column('hash').doUpdateSet({ madeAt }))
      .execute()
    await trx
      .insertInto('pictureSources')
      .values(source)
      .onConflict((conflict) => conflict.column('key').doUpdateSet(source))
      .execute()
  })
}

/** Saves why there is no picture. */
export async function saveMissingPicture(db: Db, key: string, reason: Reason, now: Instant): Promise<void> {
  const source = { key, hash: null, reason: toJson(reason), fetchedAt: now }
  await db
    .insertInto('pictureSources')
    .values(source)
    .onConflict((conflict) => conflict.column('key').doUpdateSet(source))
    .execute()
}

/** Keeps using a picture whose address gives none any more. */
export async function keepPicture(db: Db, key: string, { hash }: StoredPicture, now: Instant): Promise<void> {
  await transaction(db, async (trx) => {
    await trx.updateTable('pictures').set({ madeAt: now }).where('hash', '=', hash).execute()
    await trx.updateTable('pictureSources').set({ fetchedAt: now }).where('key', '=', key).execute()
  })
}

export function pictureByHash(db: Db, hash: string): Promise<PictureRow | undefined> {
  return db.selectFrom('pictures').selectAll().where('hash', '=', hash).executeTakeFirst()
}

/** Records which pictures the sealed bytes of the edition show, in the place of those of an earlier seal. */
export async function recordEditionPictures(db: Db, editionId: string, hashes: string[]): Promise<void> {
  await db.deleteFrom('editionPictures').where('editionId', '=', editionId).execute()
  if (hashes.length === 0) return
  const rows = [...new Set(hashes)].sort().map((hash) => ({ editionId, hash }))
  await db.insertInto('editionPictures').values(rows).execute()
}

/**
 * Deletes pictures that no edition shows and that nothing has asked for since `before`, at most `maxRows` of them; an
 * edition that ended without being sent shows none. Returns how many were deleted.
 */
export async function deleteUnusedPictures(
  db: Db,
  { before, maxRows }: { before: Instant; maxRows: number },
): Promise<number> {
  return await transaction(db, async (trx) => {
    await trx
      .deleteFrom('editionPictures')
      .where('editionId', 'in', (of) =>
        of
          .selectFrom('editions')
          .select('id')
          .where('status', 'in', ['skipped', 'cancelled'])
          .where('audienceAt', 'is', null),
      )
      .execute()
    await trx.deleteFrom('pictureSources').where('fetchedAt', '<', before).execute()
    const unused = await trx
      .selectFrom('pictures')
      .select('hash')
      .where('madeAt', '<', before)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb.selectFrom('editionPictures').select('editionId').whereRef('editionPictures.hash', '=', 'pictures.hash'),
          ),
        ),
      )
      .where((eb) =>
        eb.not(
          eb.exists(
            eb.selectFrom('pictureSources').select('key').whereRef('pictureSources.hash', '=', 'pictures.hash'),
          ),
        ),
      )
      .orderBy('hash')
      .limit(maxRows)
      .execute()
    if (unused.length === 0) return 0
    const hashes = unused.map(({ hash }) => hash)
    const deleted = await trx
      .deleteFrom('pictures')
      .where('hash', 'in', hashes)
      .where('madeAt', '<', before) // made again since
      .executeTakeFirst()
    return Number(deleted.numDeletedRows)
  })
}
