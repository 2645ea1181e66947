import type { ArticleRow, Db } from '../schema.ts'
import type { NewArticle } from './article.ts'
import { forgottenByIdentity, hasForgotten, matchForgotten, wasForgottenShared } from './forgotten.ts'
import { earlierKeys, fingerprint, identityKey, sharedIdentity, sharedPrefix, wasShared } from './identity.ts'

/** A stored article; for a deleted one `id` is null, and title and addresses are hashes. */
type KnownArticle = Pick<ArticleRow, 'identity' | 'titleKey' | 'canonical' | 'asked'> & { id: string | null }
type ShownEntry = { article: NewArticle; row: ArticleRow }

/**
 * The stored identities in one read of a feed: of recognised articles (`matched`), and those given to rows
 * (`assigned`).
 */
export type SeenIdentities = { matched: Set<string>; assigned: Set<string> }

/**
 * Gives each entry of a feed its stored identity, unique within one read. Entries that share a guid or link, now or
 * earlier, are identified by their differences; an entry that was once alone with it stays the same article. Returns
 * the ids of articles whose text has changed, the rows to save (without duplicates and deleted articles), and in
 * `forgotten` the hashed identities of deleted ones.
 */
export async function recognise(
  db: Db,
  feedId: string,
  shown: ShownEntry[],
  { matched: taken, assigned: given }: SeenIdentities,
): Promise<{ changed: string[]; rows: ArticleRow[]; forgotten: string[] }> {
  const remembers = await hasForgotten(db, feedId)
  const exactOf = await findExact(db, feedId, shown, remembers)
  const isSettled = ({ article, row }: ShownEntry) => {
    const exact = exactOf(row)
    return exact !== undefined && (article.bare !== undefined || hasTitle(exact, row))
  }
  const forms = await findKnown(
    db,
    feedId,
    shown.filter((one) => !isSettled(one)).flatMap(({ article }) => identityVariants(article)),
    remembers,
  )
  const changed: string[] = []
  const rows: ArticleRow[] = []
  const forgotten: string[] = []
  for (const one of shown) {
    const { article, row } = one
    const exact = exactOf(row)
    const distinct = distinctKey(article)
    const found = isSettled(one)
      ? exact
      : identityVariants(article)
          .map((form) => forms.get(form))
          .find((form) => isMatch(form, one))
    let known: KnownArticle | undefined
    if (found && !taken.has(found.identity)) {
      taken.add(found.identity)
      known = found
    } else if (exact && (await isSharedIdentity(db, feedId, article.identity))) row.identity = distinct
    else known = exact // the same article with another text
    if (known) await adoptIdentity(db, known, one, changed)
    if (given.has(row.identity)) row.identity = distinct
    if (known?.id === null) forgotten.push(fingerprint(known.identity))
    else if (!given.has(row.identity)) rows.push(row)
    given.add(row.identity).add(distinct)
    taken.add(row.identity)
  }
  if (!remembers) return { changed, rows, forgotten }
  const passedOver = await forgottenAmong(db, feedId, rows)
  return {
    changed,
    rows: rows.filter((row) => !passedOver.has(row)),
    forgotten: [...forgotten, ...passedOver.values()],
  }
}

/** The rows that look new and are deleted articles, with the hashed identity of the deleted article. */
async function forgottenAmong(db: Db, feedId: string, rows: ArticleRow[]): Promise<Map<ArticleRow, string>> {
  const identities = rows.map(({ identity }) => identity)
  const stored = await findKnown(db, feedId, identities, true)
  const passedOver = await matchForgotten(
    db,
    feedId,
    rows.filter(({ identity }) => !stored.has(identity)),
  )
  for (const row of rows) if (stored.get(row.identity)?.id === null) passedOver.set(row, fingerprint(row.identity))
  return passedOver
}

/** What distinguishes an article from others with the same guid or link. */
function distinctKey(article: NewArticle): string {
  return identityKey(sharedIdentity(article.bare ?? article.identity, article))
}

/** Finds the article stored under the identity of a row, or under the identity that an earlier version gave it. */
async function findExact(
  db: Db,
  feedId: string,
  shown: ShownEntry[],
  remembers: boolean,
): Promise<(row: ArticleRow) => KnownArticle | undefined> {
  const current = new Set(shown.map(({ row }) => row.identity))
  const earlier = new Map<ArticleRow, string[]>()
  for (const { article, row } of shown)
    earlier.set(
      row,
      earlierKeys(article.identity).filter((key) => !current.has(key)), // else it belongs to another entry of this read
    )
  const known = await findKnown(db, feedId, [...current, ...[...earlier.values()].flat()], remembers)
  const found = new Map(
    shown.map(({ row }) => {
      const keys = [row.identity, ...(earlier.get(row) ?? [])]
      return [row, keys.map((key) => known.get(key)).find((one) => one !== undefined)]
    }),
  )
  return (row) => found.get(row)
}

/**
 * The other identities under which the article may be stored: longer ones if it shared its guid or link earlier, the
 * shorter one if it did not.
 */
function identityVariants({ identity, bare, url, title }: NewArticle): string[] {
  const base = bare ?? identity
  const shared = [{ url, title }, { title }, { url }].map((more) => sharedIdentity(base, more))
  const forms = bare === undefined ? shared : [...shared, base]
  return forms.flatMap((form) => [identityKey(form), ...earlierKeys(form)])
}

/** An entry that shares its guid now must also have the same title and address. */
function isMatch(form: KnownArticle | undefined, { article, row }: ShownEntry): boolean {
  if (!form) return false
  return article.bare === undefined || (hasTitle(form, row) && isAt(form, row.canonical))
}

async function adoptIdentity(
  db: Db,
  known: KnownArticle,
  { article, row }: ShownEntry,
  changed: string[],
): Promise<void> {
  const { id, identity } = known
  if (article.bare === undefined) row.identity = identity
  if (id === null) return
  if (!hasTitle(known, row) || !isAt(known, row.canonical)) changed.push(id)
  if (row.identity === identity) return
  await db.updateTable('articles').set({ identity: row.identity }).where('id', '=', id).execute()
}

/** The feed's articles that are stored under these identities; with `remembers` also the deleted ones. */
async function findKnown(
  db: Db,
  feedId: string,
  identities: string[],
  remembers: boolean,
): Promise<Map<string, KnownArticle>> {
  if (identities.length === 0) return new Map()
  const rows = await db
    .selectFrom('articles')
    .select(['id', 'identity', 'titleKey', 'canonical', 'asked'])
    .where('feedId', '=', feedId)
    .where('identity', 'in', identities)
    .execute()
  const known = new Map<string, KnownArticle>(rows.map((row) => [row.identity, row]))
  if (!remembers) return known
  const others = identities.filter((identity) => !known.has(identity))
  for (const [identity, row] of await forgottenByIdentity(db, feedId, others))
    known.set(identity, { ...row, identity, id: null })
  return known
}

/** Whether several entries of the feed have shared this guid or link at any time. */
async function isSharedIdentity(db: Db, feedId: string, bare: string): Promise<boolean> {
  const start = sharedPrefix(bare)
  const earlierStart = `${bare} `
  const begins = (text: string) =>
    db
      .selectFrom('articles')
      .select('identity')
      .where('feedId', '=', feedId)
      .where((eb) => eb(eb.fn<string>('substr', ['identity', eb.val(1), eb.val([...text].length)]), '=', text))
  if (await begins(start).limit(1).executeTakeFirst()) return true
  if ((await begins(earlierStart).execute()).some(({ identity }) => wasShared(identity, bare))) return true
  return await wasForgottenShared(db, feedId, bare)
}

function hasTitle({ id, titleKey }: KnownArticle, row: ArticleRow): boolean {
  return titleKey === (id === null ? fingerprint(row.titleKey) : row.titleKey)
}

/** Whether the article is at this address, or was until its redirect was resolved. */
function isAt({ id, canonical, asked }: KnownArticle, address: string): boolean {
  const sought = id === null ? fingerprint(address) : address
  return canonical === sought || asked === sought
}
