import { addMs, type Instant, minute } from '../../time/clock.ts'
import { markUncompared } from '../ledger/stories.ts'
import type { ArticleRow, Db } from '../schema.ts'
import { canonicalAddress, isFrontPage } from './canonical-address.ts'

export type RedirectCheck = Pick<ArticleRow, 'id' | 'feedId' | 'url' | 'canonical' | 'titleKey' | 'seenAt'>

/** Asking takes far less; what was cut off by a crash is asked after it. */
const claimMs = 10 * minute

/** Takes at most `limit` articles whose address is to be asked where it leads, so that no other process asks it too. */
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

/** When the address is asked again; null: never, and it stays as it is. */
export async function scheduleRedirectCheck(db: Db, id: string, askAt: Instant | null): Promise<void> {
  await db.updateTable('articles').set({ askAt }).where('id', '=', id).execute()
}

/**
 * Keeps where the address of an article leads: it is recognised by that address from now on, and where the redirect is
 * permanent readers are sent there too. A front page, or one place for several articles of a feed, is where a site sends
 * what it does not show: then they keep the addresses of their feed. Returns whether the article has a new address.
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
    .where('canonical', '=', asked) // its feed may have changed it meanwhile: then the new one is asked in its turn
    .executeTakeFirst()
  if (!isAccepted || numUpdatedRows === 0n) return false
  await markUncompared(db, [id])
  return true
}

/**
 * Keeps what a page says is its address, as above, and readers stay with that of the feed. Where that one was followed, or is
 * to be, it stands. Returns whether the article is recognised by another address now.
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

/** Whether no other piece of the feed leads there; if one does, it gets the address of its feed back. */
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
