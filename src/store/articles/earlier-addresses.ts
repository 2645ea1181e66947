import type { ArticleRow, Db, EarlierAddressRow } from '../schema.ts'
import { canonicalAddress, titleKey } from './canonical-address.ts'

/** A limit, so that a feed with new links at every fetch cannot fill the disk. */
const maxPerArticle = 10

/** Saves the stored addresses of articles whose address the feed has changed; call it before the articles are written. */
export async function saveEarlierAddresses(db: Db, shown: ArticleRow[]): Promise<void> {
  const [first] = shown
  if (!first) return
  const known = await db
    .selectFrom('articles')
    .select(['id', 'identity', 'canonical', 'url', 'asked'])
    .where('feedId', '=', first.feedId)
    .where(
      'identity',
      'in',
      shown.map(({ identity }) => identity),
    )
    .execute()
  const now = new Map(shown.map(({ identity, canonical }) => [identity, canonical]))
  for (const { id, identity, canonical, url, asked } of known) {
    const next = now.get(identity)
    if (next === canonical || next === asked) continue
    await saveEarlierAddress(db, { articleId: id, canonical, url, until: first.shownAt })
    if (asked !== null)
      await saveEarlierAddress(db, { articleId: id, canonical: asked, url: asked, until: first.shownAt })
  }
}

async function saveEarlierAddress(db: Db, address: EarlierAddressRow): Promise<void> {
  const { articleId, until } = address
  await db
    .insertInto('earlierAddresses')
    .values(address)
    .onConflict((conflict) => conflict.columns(['articleId', 'canonical']).doUpdateSet({ until }))
    .execute()
  const kept = db
    .selectFrom('earlierAddresses')
    .select('canonical')
    .where('articleId', '=', articleId)
    .orderBy('until', 'desc')
    .limit(maxPerArticle)
  await db
    .deleteFrom('earlierAddresses')
    .where('articleId', '=', articleId)
    .where('canonical', 'not in', kept)
    .execute()
}

/** The ids of the articles that had this address before. */
export function articleIdsEverAt(db: Db, url: string) {
  return db.selectFrom('earlierAddresses').select('articleId').where('canonical', '=', canonicalAddress(url))
}

/** The ids of the articles with this title, ignoring case and punctuation. */
export async function articleIdsByTitle(db: Db, title: string): Promise<string[]> {
  const rows = await db
    .selectFrom('articles')
    .select('id')
    .where('titleKey', '=', titleKey(title))
    .orderBy('id')
    .execute()
  return rows.map(({ id }) => id)
}

/** Ids and titles of articles, the newest first, in pages: those before the id `before`, or the newest of all. */
export async function titlesBefore(
  db: Db,
  before: string | undefined,
  limit: number,
): Promise<{ id: string; title: string }[]> {
  let query = db.selectFrom('articles').select(['id', 'title'])
  if (before !== undefined) query = query.where('id', '<', before)
  return await query.orderBy('id', 'desc').limit(limit).execute()
}
