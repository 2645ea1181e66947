import { sql } from 'kysely'
import { type Instant, yieldToEventLoop } from '../../time/clock.ts'
import type { Reason } from '../events/reason.ts'
import { toJson } from '../json.ts'
import type { Db } from '../schema.ts'

/** Rows per query. */
const batchSize = 500

/** The story of a ledger row: the id of its first article. An index covers this expression. */
export function storyOfEntry(table: string) {
  return sql<string>`coalesce(${sql.ref(`${table}.sameAs`)}, ${sql.ref(`${table}.articleId`)})`
}

/** The columns of a digest's articles that distinguish stories. */
function stories(db: Db, digest: string) {
  return db
    .selectFrom('ledger')
    .innerJoin('articles', 'articles.id', 'ledger.articleId')
    .innerJoin('feeds', 'feeds.id', 'articles.feedId')
    .select(['articles.id', 'articles.canonical', 'articles.title', 'articles.publishedAt', 'articles.seenAt'])
    .select(['articles.shownAt', 'articles.titleKey', 'articles.identity', 'articles.textFingerprint'])
    .select(['feeds.url as feedUrl', 'feeds.title as source', 'ledger.sameAs', 'ledger.unlike'])
    .where('ledger.digest', '=', digest)
}

export type StoryRow = Awaited<ReturnType<ReturnType<typeof stories>['execute']>>[number]

/** Every story of one feed that the digest knows, in pages, because a query blocks all other work on SQLite. */
export async function storiesOfFeed(db: Db, digest: string, feedId: string): Promise<StoryRow[]> {
  const found: StoryRow[] = []
  for (let after = ''; ; await yieldToEventLoop()) {
    const page = await stories(db, digest)
      .where('ledger.feedId', '=', feedId)
      .where('ledger.articleId', '>', after)
      .orderBy('ledger.articleId')
      .limit(batchSize)
      .execute()
    for (const row of page) found.push(row)
    if (page.length < batchSize) return found
    after = page.at(-1)?.id ?? ''
  }
}

/** The digest's articles added since then that are not in quarantine, read in pages by that time. */
async function addedSince(db: Db, digest: string, since: Instant): Promise<StoryRow[]> {
  const found: StoryRow[] = []
  let last = { enrolledAt: since, id: '' }
  for (;;) {
    const { enrolledAt, id } = last
    const page = await stories(db, digest)
      .select('ledger.enrolledAt')
      .where('ledger.quarantinedAt', 'is', null)
      .where('ledger.enrolledAt', '>=', enrolledAt)
      .where((eb) => eb.or([eb('ledger.enrolledAt', '>', enrolledAt), eb('ledger.articleId', '>', id)]))
      .orderBy('ledger.enrolledAt')
      .orderBy('ledger.articleId')
      .limit(batchSize)
      .execute()
    for (const row of page) found.push(row)
    last = page.at(-1) ?? last
    if (page.length < batchSize) return found
    await yieldToEventLoop()
  }
}

/** At most `limit` articles that were not compared since their last change of text; not those in quarantine. */
export function storiesToCompare(db: Db, digest: string, limit: number): Promise<StoryRow[]> {
  return stories(db, digest)
    .where('ledger.comparedAt', 'is', null)
    .where('ledger.quarantinedAt', 'is', null)
    .orderBy('ledger.articleId')
    .limit(limit)
    .execute()
}

export async function hasStoriesToCompare(db: Db, digest: string): Promise<boolean> {
  const row = await db
    .selectFrom('ledger')
    .select('articleId')
    .where('digest', '=', digest)
    .where('comparedAt', 'is', null)
    .where('quarantinedAt', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Articles that may have the same story as one of these: added since then, or of any age with the same address, title or
 * guid.
 */
export async function possibleDuplicates(
  db: Db,
  digest: string,
  fresh: StoryRow[],
  since: Instant,
): Promise<StoryRow[]> {
  const known = () => stories(db, digest).where('ledger.quarantinedAt', 'is', null)
  const found = await addedSince(db, digest, since)
  for (const some of chunks([...new Set(fresh.map(({ canonical }) => canonical))]))
    for (const row of await known().where('articles.canonical', 'in', some).execute()) found.push(row)
  for (const some of chunks([...new Set(fresh.map(({ titleKey }) => titleKey))]))
    for (const row of await known().where('articles.titleKey', 'in', some).execute()) found.push(row)
  for (const some of chunks([...new Set(fresh.map(({ identity }) => identity))]))
    for (const row of await known().where('articles.identity', 'in', some).execute()) found.push(row)
  return uniqueById(found)
}

/** All copies of the stories of these articles. */
export async function copiesOf(
  db: Db,
  digest: string,
  articles: Pick<StoryRow, 'id' | 'sameAs'>[],
): Promise<StoryRow[]> {
  const found: StoryRow[] = []
  for (const roots of chunks([...new Set(articles.map(({ id, sameAs }) => sameAs ?? id))])) {
    const some = stories(db, digest)
      .where('ledger.quarantinedAt', 'is', null)
      .where(storyOfEntry('ledger'), 'in', roots)
    for (const row of await some.execute()) found.push(row)
  }
  return uniqueById(found)
}

function uniqueById(rows: StoryRow[]): StoryRow[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()]
}

function chunks<T>(list: T[]): T[][] {
  return Array.from({ length: Math.ceil(list.length / batchSize) }, (_, at) =>
    list.slice(at * batchSize, (at + 1) * batchSize),
  )
}

/** Merges one story, with all its copies, into another. */
export async function mergeStories(db: Db, digest: string, from: string, into: string): Promise<void> {
  await db
    .updateTable('ledger')
    .set({ sameAs: into })
    .where('digest', '=', digest)
    .where(storyOfEntry('ledger'), '=', from)
    .execute()
}

export async function recordCompared(db: Db, digest: string, articleIds: string[], now: Instant): Promise<void> {
  for (const some of chunks(articleIds)) {
    await db
      .updateTable('ledger')
      .set({ comparedAt: now })
      .where('digest', '=', digest)
      .where('articleId', 'in', some)
      .execute()
  }
}

/**
 * Records which of the compared articles may repeat an article of another story (`found`: its id by theirs); an earlier
 * record of them is replaced.
 */
export async function recordPossibleDuplicates(
  db: Db,
  digest: string,
  compared: string[],
  found: Map<string, string>,
): Promise<void> {
  for (const some of chunks(compared))
    await db
      .updateTable('ledger')
      .set({ possibleDuplicateOf: null })
      .where('digest', '=', digest)
      .where('articleId', 'in', some)
      .where('possibleDuplicateOf', 'is not', null)
      .execute()
  for (const [articleId, possibleDuplicateOf] of found)
    await db
      .updateTable('ledger')
      .set({ possibleDuplicateOf })
      .where('digest', '=', digest)
      .where('articleId', '=', articleId)
      .execute()
}

/** Marks articles whose text has changed, so that each digest compares them again. */
export async function markUncompared(db: Db, articleIds: string[]): Promise<void> {
  for (const some of chunks(articleIds))
    await db.updateTable('ledger').set({ comparedAt: null }).where('articleId', 'in', some).execute()
}

export type PublishedCopy = Awaited<ReturnType<typeof publishedCopies>>[number]

/**
 * Published copies of these articles' stories: a copy in an edition, or one of the same feed in backlog. An edition
 * comes first, and the first of several. Without `articleIds`: for all pending articles.
 */
export function publishedCopies(db: Db, digest: string, articleIds?: string[]) {
  const asked = db
    .selectFrom('ledger as asked')
    .innerJoin('ledger as teller', (join) =>
      join
        .onRef('teller.digest', '=', 'asked.digest')
        .onRef('teller.articleId', '!=', 'asked.articleId')
        .on(storyOfEntry('teller'), '=', storyOfEntry('asked'))
        .on('teller.quarantinedAt', 'is', null)
        .on((eb) =>
          eb.or([
            eb('teller.editionId', 'is not', null),
            eb.and([eb('teller.backlogAt', 'is not', null), eb('teller.feedId', '=', eb.ref('asked.feedId'))]),
          ]),
        ),
    )
    .innerJoin('articles', 'articles.id', 'teller.articleId')
    .innerJoin('feeds', 'feeds.id', 'teller.feedId')
    .leftJoin('editions', 'editions.id', 'teller.editionId')
    .select(['asked.articleId', 'articles.title', 'articles.url', 'feeds.title as source', 'feeds.url as feedUrl'])
    .select(['teller.editionId', 'editions.number', 'editions.dueAt'])
    .where('asked.digest', '=', digest)
    .where('asked.quarantinedAt', 'is', null)
    .orderBy((eb) => eb.fn.coalesce('editions.dueAt', eb.val('~'))) // backlog last: an instant begins with a digit
    .orderBy('teller.articleId')
  const some =
    articleIds === undefined
      ? asked.where('asked.editionId', 'is', null).where('asked.backlogAt', 'is', null)
      : asked.where('asked.articleId', 'in', articleIds)
  return some.execute()
}

/** Quarantines the article until an editor decides; `sameAs` is the article that it seems to copy. */
export async function quarantineArticle(
  db: Db,
  digest: string,
  held: { articleId: string; sameAs: string | null; reason: Reason; now: Instant },
): Promise<void> {
  const { articleId, sameAs, reason, now } = held
  await pendingEntry(db, digest)
    .set({ quarantinedAt: now, quarantineReason: toJson(reason), sameAs })
    .where('articleId', '=', articleId)
    .execute()
}

/** The number of articles of each feed that wait for an editor, and why. */
export function quarantinedFeeds(db: Db) {
  return db
    .selectFrom('ledger')
    .innerJoin('feeds', 'feeds.id', 'ledger.feedId')
    .select(['feeds.id', 'feeds.url', 'feeds.title', 'ledger.digest'])
    .select((eb) => [
      eb.fn.countAll<number>().as('count'),
      eb.fn.min('ledger.quarantinedAt').as('quarantinedAt'),
      eb.fn.min('ledger.quarantineReason').as('reason'),
    ])
    .where('ledger.quarantinedAt', 'is not', null)
    .groupBy(['feeds.id', 'feeds.url', 'feeds.title', 'ledger.digest'])
    .orderBy('feeds.url')
    .execute()
}

/** The articles of a feed that wait for an editor, in every digest. */
export function quarantinedStories(db: Db, feedId: string) {
  return db
    .selectFrom('ledger')
    .innerJoin('articles', 'articles.id', 'ledger.articleId')
    .select(['ledger.digest', 'articles.id', 'articles.canonical', 'articles.title', 'ledger.sameAs'])
    .select('ledger.quarantineReason')
    .where('ledger.feedId', '=', feedId)
    .where('ledger.quarantinedAt', 'is not', null)
    .orderBy('articles.id')
    .execute()
}

/**
 * Releases articles from quarantine: as a copy of the article that each seemed to copy (`same`), as another story
 * (`other`), or undecided, to be compared like any other article (`open`).
 */
export async function releaseQuarantined(
  db: Db,
  digest: string,
  articleIds: string[],
  verdict: 'same' | 'other' | 'open',
): Promise<void> {
  for (const some of chunks(articleIds)) {
    await quarantinedEntries(db, digest, some)
      .set((eb) => ({
        quarantinedAt: null,
        quarantineReason: null,
        ...(verdict !== 'same' && { sameAs: null }),
        ...(verdict === 'other' && { unlike: eb.ref('sameAs') }),
      }))
      .execute()
  }
}

/** Moves articles from quarantine to backlog. */
export async function moveQuarantinedToBacklog(
  db: Db,
  digest: string,
  articleIds: string[],
  now: Instant,
): Promise<void> {
  for (const some of chunks(articleIds))
    await quarantinedEntries(db, digest, some)
      .set((eb) => ({
        quarantinedAt: null,
        quarantineReason: null,
        backlogAt: now,
        backlogReason: eb.ref('quarantineReason'),
      }))
      .execute()
}

/** Changes the reason of articles in quarantine. */
export async function setQuarantineReason(db: Db, digest: string, articleIds: string[], reason: Reason): Promise<void> {
  for (const some of chunks(articleIds))
    await quarantinedEntries(db, digest, some)
      .set({ quarantineReason: toJson(reason) })
      .execute()
}

function quarantinedEntries(db: Db, digest: string, articleIds: string[]) {
  return db
    .updateTable('ledger')
    .where('digest', '=', digest)
    .where('articleId', 'in', articleIds)
    .where('quarantinedAt', 'is not', null)
}

/** Records that the page of the article is gone: the edition omits it, and may use another copy of the story. */
export async function markPageGone(
  db: Db,
  digest: string,
  cut: { articleId: string; reason: Reason; now: Instant },
): Promise<void> {
  const { articleId, reason, now } = cut
  await pendingEntry(db, digest)
    .set({ cutAt: now, cutReason: toJson(reason) })
    .where('articleId', '=', articleId)
    .execute()
}

function pendingEntry(db: Db, digest: string) {
  return db
    .updateTable('ledger')
    .where('digest', '=', digest)
    .where('editionId', 'is', null)
    .where('backlogAt', 'is', null)
}
