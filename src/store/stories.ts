import type { Instant } from '../clock.ts'
import type { Db } from './schema.ts'

/** What a digest knows of an article, as far as it tells one story from another. */
function stories(db: Db, digest: string) {
  return db
    .selectFrom('ledger')
    .innerJoin('articles', 'articles.id', 'ledger.articleId')
    .innerJoin('feeds', 'feeds.id', 'articles.feedId')
    .select(['articles.id', 'articles.canonical', 'articles.title', 'articles.publishedAt', 'articles.seenAt'])
    .select(['articles.shownAt', 'feeds.url as feedUrl', 'ledger.sameAs', 'ledger.editionId', 'ledger.backlogAt'])
    .select(['ledger.ownAt', 'ledger.heldAt'])
    .where('ledger.digest', '=', digest)
    .where('articles.kind', '=', 'article') // a letter tells nobody else's story
}

export type StoryRow = Awaited<ReturnType<typeof storiesOfFeed>>[number]

/** Every story of one feed that the digest knows. */
export function storiesOfFeed(db: Db, digest: string, feedId: string) {
  return stories(db, digest).where('ledger.feedId', '=', feedId).execute()
}

/** What is pending, and all that could tell the same story: same address, same title, or seen since. */
export function storiesToCompare(db: Db, digest: string, since: Instant) {
  const pending = () =>
    db
      .selectFrom('ledger')
      .innerJoin('articles', 'articles.id', 'ledger.articleId')
      .where('ledger.digest', '=', digest)
      .where('ledger.editionId', 'is', null)
      .where('ledger.backlogAt', 'is', null)
  return stories(db, digest)
    .where('ledger.heldAt', 'is', null)
    .where((eb) =>
      eb.or([
        eb('articles.seenAt', '>=', since),
        eb('articles.id', 'in', pending().select('ledger.sameAs').where('ledger.sameAs', 'is not', null)),
        eb('articles.id', 'in', pending().select('articles.id')),
        eb('articles.canonical', 'in', pending().select('articles.canonical')),
        eb('articles.titleKey', 'in', pending().select('articles.titleKey')),
      ]),
    )
    .execute()
}

export async function linkStory(db: Db, digest: string, articleId: string, sameAs: string | null): Promise<void> {
  await pendingEntry(db, digest).set({ sameAs }).where('articleId', '=', articleId).execute()
}

/** Keeps the article until an editor decides; `sameAs` is the one that it seems to be. */
export async function holdArticle(
  db: Db,
  digest: string,
  held: { articleId: string; sameAs: string | null; reason: string; now: Instant },
): Promise<void> {
  const { articleId, sameAs, reason, now } = held
  await pendingEntry(db, digest)
    .set({ heldAt: now, heldReason: reason, sameAs })
    .where('articleId', '=', articleId)
    .execute()
}

/** How many articles of each feed wait for an editor, and why. */
export function heldFeeds(db: Db) {
  return db
    .selectFrom('ledger')
    .innerJoin('feeds', 'feeds.id', 'ledger.feedId')
    .select(['feeds.id', 'feeds.url', 'feeds.title', 'ledger.digest'])
    .select((eb) => [
      eb.fn.countAll<number>().as('count'),
      eb.fn.min('ledger.heldAt').as('heldAt'),
      eb.fn.min('ledger.heldReason').as('reason'),
    ])
    .where('ledger.heldAt', 'is not', null)
    .groupBy(['feeds.id', 'feeds.url', 'feeds.title', 'ledger.digest'])
    .orderBy('feeds.url')
    .execute()
}

/** They are new: pending, each a story of its own. Returns how many. */
export async function releaseHeld(db: Db, feedId: string, now: Instant): Promise<number> {
  const result = await db
    .updateTable('ledger')
    .set({ heldAt: null, heldReason: null, sameAs: null, ownAt: now })
    .where('feedId', '=', feedId)
    .where('heldAt', 'is not', null)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/** They are old: what is known already is the same article as before, and the rest is backlog. Returns how many. */
export async function ignoreHeld(db: Db, feedId: string, now: Instant): Promise<number> {
  const settled = await db
    .updateTable('ledger')
    .set((eb) => ({
      heldAt: null,
      heldReason: null,
      backlogAt: eb.case().when('sameAs', 'is', null).then(now).else(null).end(),
    }))
    .where('feedId', '=', feedId)
    .where('heldAt', 'is not', null)
    .executeTakeFirst()
  return Number(settled.numUpdatedRows)
}

/** The page of the article is gone: this edition goes without it, and what told the same story may stand for itself. */
export async function cutArticle(
  db: Db,
  digest: string,
  cut: { articleId: string; reason: string; now: Instant },
): Promise<void> {
  const { articleId, reason, now } = cut
  await pendingEntry(db, digest).set({ cutAt: now, cutReason: reason }).where('articleId', '=', articleId).execute()
  await pendingEntry(db, digest).set({ sameAs: null }).where('sameAs', '=', articleId).execute()
}

function pendingEntry(db: Db, digest: string) {
  return db
    .updateTable('ledger')
    .where('digest', '=', digest)
    .where('editionId', 'is', null)
    .where('backlogAt', 'is', null)
}
