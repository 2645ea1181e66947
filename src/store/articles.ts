import type { Instant } from '../clock.ts'
import { canonicalAddress, titleKey } from './canonical.ts'
import { newId } from './id.ts'
import type { PageFacts } from './pages.ts'
import { pullsInForce } from './pulls.ts'
import type { ArticleRow, Db } from './schema.ts'

/** One entry of a feed in our own words. The shapes of parsers end before it. */
export type NewArticle = {
  /** What makes it the same article next time: the guid, else the canonical link. Unique within its feed. */
  identity: string
  /** Absolute http or https address. */
  url: string
  /** Plain text: entities decoded, no markup, white space folded. */
  title: string
  /** Plain text, a few sentences at most; empty if the feed says nothing. */
  summary: string
  author: string
  image: Image | null
  /** The moving picture itself, where the feed names one. */
  video: Video | null
  categories: string[]
  publishedAt: Instant | null
  updatedAt: Instant | null
}

export type Image = { url: string; width: number | null; height: number | null; alt: string }

export type Video = { url: string; seconds: number | null }

/** An article as the steps see it: the row with its structure unfolded, and the feed that it came from. */
export type Article = Omit<
  ArticleRow,
  'image' | 'video' | 'categories' | 'page' | 'canonical' | 'titleKey' | 'shownAt'
> &
  Pick<NewArticle, 'image' | 'video' | 'categories'> & { feedUrl: string; source: string }

/**
 * Keeps what a feed showed: a new identity is a new article, a known one takes the newest wording.
 * Returns how many were new.
 */
export async function keepArticles(db: Db, feedId: string, articles: NewArticle[], now: Instant): Promise<number> {
  let added = 0
  for (let start = 0; start < articles.length; start += 100) {
    const rows = articles.slice(start, start + 100).map((article) => toRow(article, feedId, now))
    const written = await db
      .insertInto('articles')
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(['feedId', 'identity']).doUpdateSet((eb) => ({
          url: eb.ref('excluded.url'),
          title: eb.ref('excluded.title'),
          summary: eb.ref('excluded.summary'),
          author: eb.ref('excluded.author'),
          image: eb.ref('excluded.image'),
          video: eb.ref('excluded.video'),
          categories: eb.ref('excluded.categories'),
          publishedAt: eb.fn.coalesce('excluded.publishedAt', 'articles.publishedAt'),
          updatedAt: eb.ref('excluded.updatedAt'),
          canonical: eb.ref('excluded.canonical'),
          titleKey: eb.ref('excluded.titleKey'),
          shownAt: eb.ref('excluded.shownAt'),
        })),
      )
      .returning('id')
      .execute()
    const ours = new Set(rows.map((row) => row.id))
    added += written.filter((row) => ours.has(row.id)).length
  }
  return added
}

/** An article that an edition may choose, unless something stands against it. */
export type Candidate = Article & {
  /** What stands for it, because it tells the same story. */
  same?: { id: string; title: string; source: string } | null
  /** Why it waits for an editor. */
  held?: string | null
  /** Its page was gone when it was looked at, just before a seal. */
  cut?: { at: Instant; reason: string } | null
  /** An editor pulled it: by whom, and why. */
  pulled?: { who: string; reason: string } | null
}

/** Every article that the digest has in its ledger and no edition and no backlog holds: what an edition may choose from. */
export async function pendingArticles(db: Db, digest: string): Promise<Candidate[]> {
  const rows = await withFeed(db)
    .innerJoin('ledger', 'ledger.articleId', 'articles.id')
    .leftJoin('articles as root', 'root.id', 'ledger.sameAs')
    .leftJoin('feeds as rootFeed', 'rootFeed.id', 'root.feedId')
    .select(['ledger.sameAs', 'ledger.heldReason', 'ledger.cutAt', 'ledger.cutReason'])
    .select(['root.title as rootTitle', 'rootFeed.title as rootSource', 'rootFeed.url as rootFeedUrl'])
    .where('ledger.digest', '=', digest)
    .where('ledger.editionId', 'is', null)
    .where('ledger.backlogAt', 'is', null)
    .execute()
  const pulls = await pullsInForce(db)
  return rows.map(({ sameAs, heldReason, cutAt, cutReason, rootTitle, rootSource, rootFeedUrl, ...row }) => ({
    ...fromRow(row),
    pulled: pulls.get(row.id) ?? pulls.get(row.canonical) ?? null,
    same: sameAs === null ? null : { id: sameAs, title: rootTitle ?? '', source: rootSource || (rootFeedUrl ?? '') },
    held: heldReason,
    cut: cutAt === null ? null : { at: cutAt, reason: cutReason ?? '' },
  }))
}

/** Every article that these feeds have ever shown, in the order in which we saw them, with what tells stories apart. */
export async function articlesOfFeeds(db: Db, urls: string[]): Promise<(Article & Recognised)[]> {
  const rows =
    urls.length === 0 ? [] : await withFeed(db).where('feeds.url', 'in', urls).orderBy('articles.id').execute()
  return rows.map((row) => ({ ...fromRow(row), canonical: row.canonical, shownAt: row.shownAt }))
}

export type Recognised = Pick<ArticleRow, 'canonical' | 'shownAt'>

export async function articlesByIds(db: Db, ids: string[]): Promise<Article[]> {
  const rows = ids.length === 0 ? [] : await withFeed(db).where('articles.id', 'in', ids).execute()
  return rows.map(fromRow)
}

/** The articles known by this address, from whichever feed. */
export async function articlesByUrl(db: Db, url: string): Promise<Article[]> {
  const rows = await withFeed(db)
    .where((eb) =>
      eb.or([
        eb('articles.url', '=', url),
        eb('articles.identity', '=', url),
        eb('articles.canonical', '=', canonicalAddress(url)),
      ]),
    )
    .execute()
  return rows.map(fromRow)
}

function withFeed(db: Db) {
  return db
    .selectFrom('articles')
    .innerJoin('feeds', 'feeds.id', 'articles.feedId')
    .selectAll('articles')
    .select(['feeds.url as feedUrl', 'feeds.title as source'])
}

function toRow(article: NewArticle, feedId: string, now: Instant): ArticleRow {
  const { identity, url, title, summary, author, publishedAt, updatedAt } = article
  return {
    id: newId(now),
    feedId,
    identity,
    url,
    title,
    summary,
    author,
    image: article.image && JSON.stringify(article.image),
    video: article.video && JSON.stringify(article.video),
    categories: JSON.stringify(article.categories),
    publishedAt,
    updatedAt,
    seenAt: now,
    page: null,
    canonical: canonicalAddress(url),
    titleKey: titleKey(title),
    shownAt: now,
  }
}

function fromRow({
  page,
  canonical: _canonical,
  titleKey: _titleKey,
  shownAt: _shownAt,
  ...row
}: ArticleRow & { feedUrl: string; source: string }): Article {
  const facts: Partial<PageFacts> = page === null ? {} : JSON.parse(page) // what the feed left out
  return {
    ...row,
    summary: row.summary || (facts.summary ?? ''),
    author: row.author || (facts.author ?? ''),
    image: row.image === null ? (facts.image ?? null) : JSON.parse(row.image),
    video: row.video === null ? null : JSON.parse(row.video),
    categories: JSON.parse(row.categories),
  }
}
