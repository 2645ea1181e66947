import type { Instant } from '../../time/clock.ts'
import { storableJson } from '../drivers/storable-text.ts'
import type { Reason } from '../events/reason.ts'
import type { Json } from '../json.ts'
import type { Db } from '../schema.ts'
import type { PageFacts } from './article.ts'
import { articleFingerprint } from './article-text.ts'
import { indexKey } from './identity.ts'

/** A fetched page; if it could not be read, `found` is null and `error` says why. */
export type StoredPage = { url: string; fetchedAt: Instant; found: PageFacts | null; error: Json<Reason> | null }

export async function pageAt(db: Db, url: string): Promise<StoredPage | undefined> {
  const row = await db.selectFrom('pages').selectAll().where('url', '=', indexKey(url)).executeTakeFirst()
  return row && { ...row, url, found: row.found === null ? null : JSON.parse(row.found) }
}

export async function savePage(db: Db, { found, ...page }: StoredPage): Promise<void> {
  const row = { ...page, url: indexKey(page.url), found: found === null ? null : storableJson(found) }
  await db
    .insertInto('pages')
    .values(row)
    .onConflict((conflict) => conflict.column('url').doUpdateSet(row))
    .execute()
}

/** Saves the page's facts with the article; the feed's values take precedence. */
export async function savePageFacts(db: Db, articleId: string, facts: PageFacts): Promise<void> {
  await db
    .updateTable('articles')
    .set((eb) => ({
      page: storableJson(facts),
      textFingerprint: eb.fn.coalesce('textFingerprint', eb.val(articleFingerprint(facts))),
    }))
    .where('id', '=', articleId)
    .execute()
}

/** The robots.txt of an origin, as its rules in JSON. */
export function robotsOf(db: Db, origin: string): Promise<{ fetchedAt: Instant; rules: string } | undefined> {
  return db.selectFrom('robots').select(['fetchedAt', 'rules']).where('origin', '=', origin).executeTakeFirst()
}

/** When the robots.txt of an origin was last fetched, without its rules. */
export async function robotsFetchedAt(db: Db, origin: string): Promise<Instant | undefined> {
  const row = await db.selectFrom('robots').select('fetchedAt').where('origin', '=', origin).executeTakeFirst()
  return row?.fetchedAt
}

export async function saveRobots(db: Db, origin: string, rules: string, fetchedAt: Instant): Promise<void> {
  await db
    .insertInto('robots')
    .values({ origin, rules, fetchedAt })
    .onConflict((conflict) => conflict.column('origin').doUpdateSet({ rules, fetchedAt }))
    .execute()
}

/**
 * Deletes pages and robots rules before `before`, and all except the newest `maxRows`, so that a feed with links to ever new
 * hosts cannot fill the disk. They are fetched again when needed.
 */
export async function deleteOldPages(db: Db, { maxRows, before }: { maxRows: number; before: Instant }): Promise<void> {
  for (const table of ['pages', 'robots'] as const) {
    const newest = await db
      .selectFrom(table)
      .select('fetchedAt')
      .orderBy('fetchedAt', 'desc')
      .offset(maxRows)
      .limit(1)
      .executeTakeFirst()
    const limit = newest && newest.fetchedAt >= before ? newest.fetchedAt : undefined
    await db
      .deleteFrom(table)
      .where((eb) => (limit === undefined ? eb('fetchedAt', '<', before) : eb('fetchedAt', '<=', limit)))
      .execute()
  }
}
