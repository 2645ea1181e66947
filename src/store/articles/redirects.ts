import { addMs, type Instant, minute } from '../../time/clock.ts'
import { markUncompared } from '../ledger/stories.ts'
import type { ArticleRow, Db } from '../schema.ts'
import { canonicalAddress, isFrontPage } from './canonical-address.ts'

export type RedirectCheck = Pick<ArticleRow, 'id' | 'feedId' | 'url' | 'canonical' | 'titleKey' | 'seenAt'>

/** Far longer than a check takes; after it, a check that a crash interrupted is repeated. */
const claimMs = 10 * minute

/** Claims at most `limit` articles whose redirect check is due, so that no other process checks them. */
export async function claimRedirectChecks(db: Db, now: Instant, limit: number): Promise<RedirectCheck[]> {
  const due = await db
    .selectFrom('articles')
    .select('id')
    .where('askAt', '<=', now)
    .orderBy('askAt')
    .orderBy('id')
    .limit(limit)
    .execute()
  if (due.length === 0) return []
  const ids = due.map(({ id }) => id)
  return await db
    .updateTable('articles')
    .set({ askAt: addMs(now, claimMs) })
    .where('id', 'in', ids)
    .where('askAt', '<=', now)
    .returning(['id', 'feedId', 'url', 'canonical', 'titleKey', 'seenAt'])
    .execute()
}

/** Sets when the redirect of the address is checked again; null: never, and the address stays. */
export async function scheduleRedirectCheck(db: Db, id: string, askAt: Instant | null): Promise<void> {
  await db.updateTable('articles').set({ askAt }).where('id', '=', id).execute()
}

/**
 * Saves the redirect target of an article as its canonical address; if the redirect is permanent, readers get it too. A front
 * page, or a target of several articles of the feed, is not accepted. Returns whether the article has a new address.
 */
export async function saveRedirectTarget(
  db: Db,
  article: RedirectCheck,
  { url, permanent }: { url: string; permanent: boolean },
): Promise<boolean> {
  const leadsTo = canonicalAddress(url)
  const { id, canonical: asked } = article
  const isOnlyArticle = await claimTarget(db, article, leadsTo)
  const isAccepted = isOnlyArticle && leadsTo !== asked && !isFrontPage(leadsTo)
  const { numUpdatedRows } = await db
    .updateTable('articles')
    .set({ askAt: null, leadsTo, ...(isAccepted && { asked, canonical: leadsTo, ...(permanent && { url }) }) })
    .where('id', '=', id)
    .where('canonical', '=', asked) // if the feed has changed the address since, the new one gets its own check
    .executeTakeFirst()
  if (!isAccepted || numUpdatedRows === 0n) return false
  await markUncompared(db, [id])
  return true
}

/**
 * Saves the canonical address that a page declares; readers keep the feed's address. Does nothing if that address was resolved
 * or is due for a check. Returns whether the canonical address changed.
 */
export async function saveCanonicalAddress(db: Db, id: string, url: string): Promise<boolean> {
  const article = await db
    .selectFrom('articles')
    .select(['id', 'feedId', 'url', 'canonical', 'titleKey', 'seenAt'])
    .where('id', '=', id)
    .where('asked', 'is', null)
    .where('askAt', 'is', null)
    .executeTakeFirst()
  return article !== undefined && (await saveRedirectTarget(db, article, { url, permanent: false }))
}

/** Whether no other article of the feed redirects there; any that do get their feed's address back. */
async function claimTarget(db: Db, { id, feedId, titleKey }: RedirectCheck, leadsTo: string): Promise<boolean> {
  const others = await db
    .selectFrom('articles')
    .select(['id', 'asked'])
    .where('leadsTo', '=', leadsTo)
    .where('feedId', '=', feedId)
    .where('titleKey', '!=', titleKey)
    .where('id', '!=', id)
    .execute()
  for (const { id: other, asked } of others) {
    if (asked === null) continue
    const given = { asked: null, canonical: asked, url: asked }
    await db.updateTable('articles').set(given).where('id', '=', other).execute()
    await markUncompared(db, [other])
  }
  return others.length === 0
}
