import type { ExpressionBuilder } from 'kysely'
import { type Instant, yieldToEventLoop } from '../../time/clock.ts'
import { storable } from '../drivers/storable-text.ts'
import type { Reason } from '../events/reason.ts'
import { lockFeed } from '../feeds/feeds.ts'
import { newId } from '../id.ts'
import { fromJson } from '../json.ts'
import { markUncompared, type PublishedCopy, publishedCopies } from '../ledger/stories.ts'
import type { ArticleRow, Db, LedgerRow, Schema } from '../schema.ts'
import type { Article, Image, NewArticle, PageFacts, WholeArticle } from './article.ts'
import { articleFingerprint } from './article-text.ts'
import { canonicalAddress, titleKey } from './canonical-address.ts'
import { articleIdsEverAt, saveEarlierAddresses } from './earlier-addresses.ts'
import { recordShownAgain } from './forgotten.ts'
import { identityKey, indexKey } from './identity.ts'
import { recognise, type SeenIdentities } from './recognise.ts'
import { activeRetractions, retractedStories } from './retractions.ts'

/** Articles per write; between two writes other work can run. */
const writeBatchSize = 50

/**
 * Saves the articles of a feed: a new identity is a new article, a known one takes the newest wording and keeps a resolved
 * address. New articles with an `isOffSite` address get a redirect check; forgotten ones are skipped. Returns how many were new.
 */
export async function saveArticles(
  db: Db,
  feedId: string,
  articles: NewArticle[],
  now: Instant,
  isOffSite: (url: string) => boolean = () => false,
): Promise<number> {
  await lockFeed(db, feedId) // two processes that read one feed at once take turns
  const shownIdentities = new Set(articles.map(({ identity }) => identityKey(storable(identity))))
  const seen: SeenIdentities = { shown: shownIdentities, matched: new Set(), assigned: new Set() }
  let added = 0
  for (let start = 0; start < articles.length; start += writeBatchSize) {
    await yieldToEventLoop() // else SQLite would block all other work until the last feed
    const shown = articles.slice(start, start + writeBatchSize).map((given, index) => {
      const article = storable(given)
      const row = toRow(article, { feedId, place: start + index, now, isOffSite: isOffSite(article.url) })
      return { article, row }
    })
    const { changed, rows, forgotten } = await recognise(db, feedId, shown, seen)
    await recordShownAgain(db, feedId, forgotten, now)
    if (rows.length === 0) continue
    await saveEarlierAddresses(db, rows)
    const kept = await db
      .insertInto('articles')
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(['feedId', 'identity']).doUpdateSet((eb) => ({
          url: unlessRedirected(eb, 'url'),
          title: eb.ref('excluded.title'),
          summary: eb.ref('excluded.summary'),
          author: eb.ref('excluded.author'),
          image: eb.ref('excluded.image'),
          video: eb.ref('excluded.video'),
          categories: eb.ref('excluded.categories'),
          publishedAt: eb.fn.coalesce('excluded.publishedAt', 'articles.publishedAt'),
          updatedAt: eb.ref('excluded.updatedAt'),
          canonical: unlessRedirected(eb, 'canonical'),
          titleKey: eb.ref('excluded.titleKey'),
          textFingerprint: eb.fn.coalesce('excluded.textFingerprint', 'articles.textFingerprint'),
          shownAt: eb.ref('excluded.shownAt'),
          place: eb.ref('excluded.place'),
          body: eb.ref('excluded.body'),
          note: eb.ref('excluded.note'),
        })),
      )
      .returning('id')
      .execute()
    const ours = new Set(rows.map((row) => row.id))
    added += kept.filter((row) => ours.has(row.id)).length
    await markUncompared(db, changed)
  }
  return added
}

/** The feed's current value; our value where the feed still gives the address that was resolved. */
function unlessRedirected(eb: ExpressionBuilder<UpsertSchema, 'articles' | 'excluded'>, column: 'url' | 'canonical') {
  return eb
    .case()
    .when('articles.asked', '=', eb.ref('excluded.canonical'))
    .then(eb.ref(`articles.${column}`))
    .else(eb.ref(`excluded.${column}`))
    .end()
}

type UpsertSchema = Schema & { excluded: ArticleRow }

/** An article that an edition may choose, unless a rule or an editor excludes it. */
export type Candidate = Article & {
  /** The id of the first article of its story, which all copies share; absent if it is that article itself. */
  story?: string
  /** A published copy of the same story, and where it was published. */
  publishedAs?: { title: string; source: string; where: Reason } | null
  /** When it was added to the digest's ledger. */
  addedAt?: Instant
  /** When the feed last contained it, and at which place. */
  shown?: { at: Instant; place: number }
  /** Why it waits for an editor. */
  quarantineReason?: Reason | null
  /** When its page was found gone just before a seal, and the evidence. */
  cut?: { at: Instant; reason: Reason } | null
  /** The editor who retracted it, and why. */
  retracted?: { who: string; reason: string } | null
  /** An editor's decision about its place in the edition; `exclude`: no later edition chooses it either. */
  decision?: { kind: 'drop' | 'exclude'; who: string } | { kind: 'pin'; who: string; section: string }
}

/** Articles per read; between two reads other work can run. */
const readPageSize = 500

/** The pending articles of the digest: in its ledger, in no edition and not backlog. */
export async function pendingArticles(db: Db, digest: string): Promise<Candidate[]> {
  const copies = (await publishedCopies(db, digest)).toReversed()
  const known: KnownAboutPending = {
    retractions: await activeRetractions(db),
    retractedStories: await retractedStories(db, digest),
    published: new Map(copies.map((copy) => [copy.articleId, toPublishedAs(copy)])),
  }
  const pending: Candidate[] = []
  for (let after = ''; ; await yieldToEventLoop()) {
    const rows = await withFeed(db)
      .innerJoin('ledger', 'ledger.articleId', 'articles.id')
      .select(['ledger.sameAs', 'ledger.enrolledAt', 'ledger.quarantineReason', 'ledger.cutAt', 'ledger.cutReason'])
      .where('ledger.digest', '=', digest)
      .where('ledger.editionId', 'is', null)
      .where('ledger.backlogAt', 'is', null)
      .where('ledger.articleId', '>', after)
      .orderBy('ledger.articleId')
      .limit(readPageSize)
      .execute()
    for (const row of rows) pending.push(toCandidate(row, known))
    if (rows.length < readPageSize) return pending
    after = rows.at(-1)?.id ?? ''
  }
}

/** By article id, canonical address or story. */
type KnownAboutPending = {
  retractions: Awaited<ReturnType<typeof activeRetractions>>
  retractedStories: Awaited<ReturnType<typeof retractedStories>>
  published: Map<string, NonNullable<Candidate['publishedAs']>>
}

type PendingRow = Parameters<typeof fromRow>[0] &
  Pick<ArticleRow, 'shownAt' | 'place'> &
  Pick<LedgerRow, 'sameAs' | 'enrolledAt' | 'quarantineReason' | 'cutAt' | 'cutReason'>

function toCandidate(pending: PendingRow, known: KnownAboutPending): Candidate {
  const { sameAs, enrolledAt, quarantineReason, cutAt, cutReason, ...row } = pending
  const isQuarantined = quarantineReason !== null // then `sameAs` is only a guess
  const story = isQuarantined ? row.id : (sameAs ?? row.id)
  const publishedAs = known.published.get(row.id) ?? known.retractedStories.get(story) ?? null
  return {
    ...fromRow(row),
    story,
    publishedAs: isQuarantined ? null : publishedAs,
    addedAt: enrolledAt,
    shown: { at: row.shownAt, place: row.place },
    retracted: known.retractions.get(row.id) ?? known.retractions.get(row.canonical) ?? null,
    quarantineReason: quarantineReason && fromJson(quarantineReason),
    cut: cutAt === null || cutReason === null ? null : { at: cutAt, reason: fromJson(cutReason) },
  }
}

/** A published copy of the story, as a candidate has it. */
export function toPublishedAs({
  title,
  source,
  feedUrl,
  editionId,
  number,
  dueAt,
}: PublishedCopy): NonNullable<Candidate['publishedAs']> {
  const where: Reason = editionId === null ? { code: 'copy-in-backlog' } : { code: 'copy-in-edition', number, dueAt }
  return { title, source: source || feedUrl, where }
}

/** All stored articles of these feeds, in the order of their first appearance, with their last appearance. */
export async function articlesOfFeeds(db: Db, urls: string[]): Promise<(Article & WithLastShown)[]> {
  if (urls.length === 0) return []
  const found: (Article & WithLastShown)[] = []
  for (let after = ''; ; await yieldToEventLoop()) {
    const rows = await withFeed(db)
      .where('feeds.url', 'in', urls)
      .where('articles.id', '>', after)
      .orderBy('articles.id')
      .limit(readPageSize)
      .execute()
    for (const row of rows) found.push({ ...fromRow(row), shown: { at: row.shownAt, place: row.place } })
    if (rows.length < readPageSize) return found
    after = rows.at(-1)?.id ?? ''
  }
}

export type WithLastShown = Required<Pick<Candidate, 'shown'>>

export async function articlesByIds(db: Db, ids: string[]): Promise<WholeArticle[]> {
  if (ids.length === 0) return []
  const rows = await withFeed(db).select('articles.body').where('articles.id', 'in', ids).execute()
  return rows.map(({ body, ...row }) => ({
    ...fromRow(row),
    body: body === null ? (factsOf(row).body ?? null) : JSON.parse(body),
  }))
}

/** The articles of any feed that have this address, or had it earlier. */
export async function articlesByUrl(db: Db, url: string): Promise<Article[]> {
  const rows = await withFeed(db)
    .where((eb) =>
      eb.or([
        eb('articles.url', '=', url),
        eb('articles.identity', 'in', [url, identityKey(url)]),
        eb('articles.canonical', '=', canonicalAddress(url)),
        eb('articles.asked', '=', canonicalAddress(url)),
        eb('articles.id', 'in', articleIdsEverAt(db, url)),
      ]),
    )
    .execute()
  return rows.map(fromRow)
}

function withFeed(db: Db) {
  return db
    .selectFrom('articles')
    .innerJoin('feeds', 'feeds.id', 'articles.feedId')
    .select(columns)
    .select(['feeds.url as feedUrl', 'feeds.title as source'])
}

const columns = [
  'articles.id',
  'articles.feedId',
  'articles.identity',
  'articles.url',
  'articles.title',
  'articles.summary',
  'articles.author',
  'articles.image',
  'articles.video',
  'articles.categories',
  'articles.publishedAt',
  'articles.updatedAt',
  'articles.seenAt',
  'articles.page',
  'articles.canonical',
  'articles.titleKey',
  'articles.shownAt',
  'articles.place',
  'articles.note',
  'articles.askAt',
  'articles.asked',
  'articles.leadsTo',
] as const

type RowContext = { feedId: string; place: number; now: Instant; isOffSite: boolean }

function toRow(article: NewArticle, { feedId, place, now, isOffSite: elsewhere }: RowContext): ArticleRow {
  const { identity, url, title, summary, author, publishedAt, updatedAt, note = '' } = article
  return {
    id: newId(now),
    feedId,
    identity: identityKey(identity),
    url,
    title,
    summary,
    author,
    image: picturesJson(article),
    video: article.video && JSON.stringify(article.video),
    categories: JSON.stringify(article.categories),
    publishedAt,
    updatedAt,
    seenAt: now,
    page: null,
    canonical: canonicalAddress(url),
    titleKey: titleKey(title),
    textFingerprint: articleFingerprint(article),
    shownAt: now,
    place,
    body: article.body ? JSON.stringify(article.body) : null,
    note,
    askAt: elsewhere && indexKey(url) === url ? now : null, // the address that is compared must be one that can be asked
    asked: null,
    leadsTo: null,
  }
}

function fromRow({
  page,
  titleKey: _titleKey,
  shownAt: _shownAt,
  place: _place,
  askAt: _askAt,
  asked: _asked,
  leadsTo: _leadsTo,
  ...row
}: Omit<ArticleRow, 'body' | 'textFingerprint'> & { feedUrl: string; source: string }): Article {
  const facts = factsOf({ page })
  return {
    ...row,
    summary: row.summary || (facts.summary ?? ''),
    author: row.author || (facts.author ?? ''),
    ...picturesOf(row.image, facts.image ?? null),
    video: row.video === null ? null : JSON.parse(row.video),
    categories: JSON.parse(row.categories),
  }
}

/** The column `image` has the portrait inside, so that a portrait alone is `{"portrait": …}`. */
function picturesJson({ image, portrait }: NewArticle): string | null {
  return image || portrait ? JSON.stringify({ ...image, ...(portrait && { portrait }) }) : null
}

function picturesOf(json: string | null, ofPage: Image | null): Pick<Article, 'image' | 'portrait'> {
  if (json === null) return { image: ofPage }
  const { portrait, ...image } = JSON.parse(json)
  return { image: image.url ? image : ofPage, ...(portrait && { portrait }) }
}

/** The facts from the article's page. */
function factsOf({ page }: Pick<ArticleRow, 'page'>): Partial<PageFacts> {
  return page === null ? {} : JSON.parse(page)
}
