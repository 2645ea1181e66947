import { addMs, day, type Instant, msBetween } from '../../time/clock.ts'
import { addFeedEventOnce } from '../events/events.ts'
import type { ArticleRow, Db, ForgottenArticleRow } from '../schema.ts'
import { canonicalAddress, isFrontPage, minTitleWords, titleKey, titleWords } from './canonical-address.ts'
import { fingerprint, identityKey, sharedPart } from './identity.ts'

/** The same title with dates further apart than this is another story. */
const titleWindowMs = 7 * day

type ForgettableArticle = Pick<
  ArticleRow,
  'feedId' | 'identity' | 'canonical' | 'asked' | 'titleKey' | 'publishedAt' | 'seenAt' | 'shownAt'
>

/** The row that remains of an article that is deleted now. */
export function forgottenRow(
  article: ForgettableArticle,
  reason: ForgottenArticleRow['reason'],
  now: Instant,
): ForgottenArticleRow {
  const { feedId, identity, canonical, asked, seenAt } = article
  const shared = sharedPart(identity)
  return {
    feedId,
    identity: fingerprint(identity),
    shared: shared === null ? null : fingerprint(shared),
    canonical: fingerprint(canonical),
    asked: asked === null ? null : fingerprint(asked),
    titleKey: fingerprint(article.titleKey),
    datedAt: trustedDate(article) ?? article.shownAt,
    seenAt,
    forgottenAt: now,
    shownAt: now,
    reason,
  }
}

/**
 * When an article was published; null if that is unknown, or wrong: more than a day after it was first seen, or before 1990,
 * which programs write for no date.
 */
export function trustedDate({ publishedAt, seenAt }: Pick<ArticleRow, 'publishedAt' | 'seenAt'>): Instant | null {
  return publishedAt === null || publishedAt < oldestDate || publishedAt > addMs(seenAt, day) ? null : publishedAt
}

const oldestDate: Instant = '1990-01-01T00:00:00.000Z'

export async function hasForgotten(db: Db, feedId: string): Promise<boolean> {
  const one = db.selectFrom('forgottenArticles').select('feedId').where('feedId', '=', feedId).limit(1)
  return (await one.executeTakeFirst()) !== undefined
}

/** The deleted articles of the feed that were stored under these identities, by identity. */
export async function forgottenByIdentity(
  db: Db,
  feedId: string,
  identities: string[],
): Promise<Map<string, ForgottenArticleRow>> {
  if (identities.length === 0) return new Map()
  const texts = new Map(identities.map((identity) => [fingerprint(identity), identity]))
  const rows = await forgottenOf(db, feedId)
    .where('identity', 'in', [...texts.keys()])
    .execute()
  return new Map(rows.map((row) => [texts.get(row.identity) ?? '', row]))
}

/** Whether a deleted article of the feed shared this guid or link with others. */
export async function wasForgottenShared(db: Db, feedId: string, bare: string): Promise<boolean> {
  const shared = [fingerprint(identityKey(bare)), fingerprint(bare)]
  return (await forgottenOf(db, feedId).where('shared', 'in', shared).limit(1).executeTakeFirst()) !== undefined
}

function forgottenOf(db: Db, feedId: string) {
  return db.selectFrom('forgottenArticles').selectAll().where('feedId', '=', feedId)
}

/**
 * Finds the rows with a new guid that are deleted articles of the feed: at the same address, or with the same title at
 * nearly the same time. Returns the hashed identity of the deleted article for each.
 */
export async function matchForgotten(db: Db, feedId: string, rows: ArticleRow[]): Promise<Map<ArticleRow, string>> {
  if (rows.length === 0) return new Map()
  const addresses = rows.map(({ canonical }) => fingerprint(canonical))
  const there = [
    ...(await forgottenOf(db, feedId).where('canonical', 'in', addresses).execute()),
    ...(await forgottenOf(db, feedId).where('asked', 'in', addresses).execute()),
  ]
  const titled = await forgottenOf(db, feedId)
    .where(
      'titleKey',
      'in',
      rows.map((row) => fingerprint(row.titleKey)),
    )
    .execute()
  const stillThere = await addressesInUse(
    db,
    feedId,
    rows.map(({ canonical }) => canonical),
  )
  const byTitle = Map.groupBy(titled, (one) => one.titleKey)
  return new Map(
    rows.flatMap((row) => {
      const found =
        atSameAddress(row, there, stillThere) ??
        byTitle.get(fingerprint(row.titleKey))?.find((one) => isSameTime(one, row))
      return found ? [[row, found.identity] as const] : []
    }),
  )
}

async function addressesInUse(db: Db, feedId: string, addresses: string[]): Promise<Set<string>> {
  const rows = await db
    .selectFrom('articles')
    .select('canonical')
    .where('canonical', 'in', addresses)
    .where('feedId', '=', feedId)
    .execute()
  return new Set(rows.map(({ canonical }) => canonical))
}

/** An address that several entries of the feed shared identifies an article only together with its title. */
function atSameAddress(
  row: ArticleRow,
  forgotten: ForgottenArticleRow[],
  stillThere: Set<string>,
): ForgottenArticleRow | undefined {
  if (isFrontPage(row.canonical)) return undefined
  const address = fingerprint(row.canonical)
  const there = forgotten.filter(({ canonical, asked }) => canonical === address || asked === address)
  const sameTitle = there.find((one) => one.titleKey === fingerprint(row.titleKey))
  if (sameTitle || stillThere.has(row.canonical)) return sameTitle
  return new Set(there.map((one) => one.titleKey)).size === 1 ? there[0] : undefined
}

function isSameTime({ datedAt }: ForgottenArticleRow, row: ArticleRow): boolean {
  const date = trustedDate(row)
  if (date === datedAt) return true
  if (new Set(titleWords(row.title)).size < minTitleWords) return false
  return Math.abs(msBetween(datedAt, date ?? row.seenAt)) <= titleWindowMs
}

/** The titles (`titleKey`) among these that exactly one deleted article of the feed had. */
export async function forgottenTitles(db: Db, feedId: string, titles: string[]): Promise<Set<string>> {
  const found = new Set<string>()
  for (let start = 0; start < titles.length; start += maxValues) {
    const texts = new Map(titles.slice(start, start + maxValues).map((title) => [fingerprint(title), title]))
    const rows = await db
      .selectFrom('forgottenArticles')
      .select('titleKey')
      .where('feedId', '=', feedId)
      .where('titleKey', 'in', [...texts.keys()])
      .groupBy('titleKey')
      .having((eb) => eb(eb.fn.countAll<number>(), '=', 1))
      .execute()
    for (const row of rows) found.add(texts.get(row.titleKey) ?? '')
  }
  return found
}

const maxValues = 500

/** Records that the feed contains these deleted articles again (hashed identities), so that they stay remembered. */
export async function recordShownAgain(db: Db, feedId: string, identities: string[], now: Instant): Promise<void> {
  if (identities.length === 0) return
  await db
    .updateTable('forgottenArticles')
    .set({ shownAt: now })
    .where('feedId', '=', feedId)
    .where('identity', 'in', identities)
    .execute()
  await addFeedEventOnce(db, { kind: 'feed.forgotten_shown', actor: 'system', feed: feedId, data: {} }, now)
}

/** The forgotten articles with this guid, address or title, the last forgotten first, with the address of their feed. */
export async function findForgotten(db: Db, what: string): Promise<(ForgottenArticleRow & { feedUrl: string })[]> {
  const address = fingerprint(canonicalAddress(what))
  return await db
    .selectFrom('forgottenArticles')
    .innerJoin('feeds', 'feeds.id', 'forgottenArticles.feedId')
    .selectAll('forgottenArticles')
    .select('feeds.url as feedUrl')
    .where((eb) =>
      eb.or([
        eb('forgottenArticles.identity', '=', fingerprint(identityKey(what))),
        eb('forgottenArticles.canonical', '=', address),
        eb('forgottenArticles.asked', '=', address),
        eb('forgottenArticles.titleKey', '=', fingerprint(titleKey(what))),
      ]),
    )
    .orderBy('forgottenArticles.forgottenAt', 'desc')
    .orderBy('forgottenArticles.identity')
    .limit(20)
    .execute()
}

/** How many articles of these feeds, seen since then, are forgotten. */
export async function countForgotten(db: Db, feedUrls: string[], since: Instant): Promise<number> {
  if (feedUrls.length === 0) return 0
  const row = await db
    .selectFrom('forgottenArticles')
    .innerJoin('feeds', 'feeds.id', 'forgottenArticles.feedId')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('feeds.url', 'in', feedUrls)
    .where('forgottenArticles.seenAt', '>', since)
    .executeTakeFirstOrThrow()
  return Number(row.count)
}
