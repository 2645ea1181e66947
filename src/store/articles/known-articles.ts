import { sql } from 'kysely'
import type { ArticleRow, Db } from '../schema.ts'
import { isFrontPage } from './canonical-address.ts'
import { forgottenByIdentity, wasForgottenShared } from './forgotten.ts'
import { earlierKeys, sharedPrefix, wasShared } from './identity.ts'
import { hasTitle, isSameInCase, type KnownArticle, looseForms, type ShownEntry } from './same-article.ts'

function articlesOf(db: Db, feedId: string) {
  return db
    .selectFrom('articles')
    .select(['id', 'identity', 'titleKey', 'canonical', 'asked', 'publishedAt', 'url', 'title', 'summary'])
    .where('feedId', '=', feedId)
}

type FoundRow = Awaited<ReturnType<ReturnType<typeof articlesOf>['execute']>>[number]

function toKnown({ url, title, summary, ...known }: FoundRow): KnownArticle {
  return { ...known, text: { url, title, summary } }
}

/** The feed's articles that are stored under these identities; with `remembers` also the deleted ones. */
export async function findKnown(
  db: Db,
  feedId: string,
  identities: string[],
  remembers: boolean,
): Promise<Map<string, KnownArticle>> {
  if (identities.length === 0) return new Map()
  const rows = await articlesOf(db, feedId).where('identity', 'in', identities).execute()
  const known = new Map(rows.map((row) => [row.identity, toKnown(row)]))
  if (!remembers) return known
  const others = identities.filter((identity) => !known.has(identity))
  for (const [identity, row] of await forgottenByIdentity(db, feedId, others))
    known.set(identity, { ...row, identity, id: null, publishedAt: row.datedAt })
  return known
}

/** Finds the article stored under the identity of a row, or under the identity that an earlier version gave it. */
export async function findExact(
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

/** The feed's articles whose identity begins with this guid or link and has a difference behind it. */
export async function findSharing(db: Db, feedId: string, bare: string): Promise<KnownArticle[]> {
  return (await startingWith(db, feedId, sharedPrefix(bare)).execute()).map(toKnown)
}

/** Whether several entries of the feed have shared this guid or link at any time. */
export async function isSharedIdentity(db: Db, feedId: string, bare: string): Promise<boolean> {
  if (await startingWith(db, feedId, sharedPrefix(bare)).limit(1).executeTakeFirst()) return true
  const earlier = await startingWith(db, feedId, `${bare} `).execute()
  if (earlier.some(({ identity }) => wasShared(identity, bare))) return true
  return await wasForgottenShared(db, feedId, bare)
}

function startingWith(db: Db, feedId: string, text: string) {
  return articlesOf(db, feedId).where((eb) =>
    eb(eb.fn<string>('substr', ['identity', eb.val(1), eb.val([...text].length)]), '=', text),
  )
}

/**
 * Finds the stored articles that entries with unknown guids are beyond doubt: with the same address and title, or with a
 * guid that differs only in scheme, `www.`, final slash or (under the same title) case.
 */
export async function findReissued(
  db: Db,
  feedId: string,
  unknown: ShownEntry[],
): Promise<(entry: ShownEntry) => KnownArticle[]> {
  if (unknown.length === 0) return () => []
  const addresses = unknown.map(({ row }) => row.canonical).filter((address) => !isFrontPage(address))
  const there = addresses.length === 0 ? [] : await findAt(db, feedId, addresses)
  const loose = await findLoose(db, feedId, unknown)
  return ({ row }) => {
    const atAddress = there.filter(({ canonical, asked }) => canonical === row.canonical || asked === row.canonical)
    const sameGuid = (loose.get(row) ?? []).filter(
      (one) => isSameInCase(one.identity, row.identity) || hasTitle(one, row),
    )
    if (atAddress.every((one) => hasTitle(one, row))) return [...sameGuid, ...atAddress]
    return sameGuid // an address of several articles says nothing
  }
}

/** The feed's articles at these addresses, the last shown first. */
async function findAt(db: Db, feedId: string, addresses: string[]): Promise<KnownArticle[]> {
  const rows = await articlesOf(db, feedId)
    .where((eb) => eb.or([eb('canonical', 'in', addresses), eb('asked', 'in', addresses)]))
    .orderBy('shownAt', 'desc')
    .orderBy('id')
    .execute()
  return rows.map(toKnown)
}

async function findLoose(db: Db, feedId: string, unknown: ShownEntry[]): Promise<Map<ArticleRow, KnownArticle[]>> {
  const formsOf = new Map(unknown.map(({ row }) => [row, looseForms(row.identity)]))
  const rows = await articlesOf(db, feedId)
    .where(sql<string>`lower(${sql.ref('identity')})`, 'in', [...new Set([...formsOf.values()].flat())])
    .orderBy('shownAt', 'desc')
    .orderBy('id')
    .execute()
  const found = rows.map(toKnown)
  return new Map(
    [...formsOf].map(([row, forms]) => [row, found.filter(({ identity }) => forms.includes(identity.toLowerCase()))]),
  )
}
