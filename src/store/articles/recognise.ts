import type { ArticleRow, Db } from '../schema.ts'
import type { NewArticle } from './article.ts'
import { canonicalAddress } from './canonical-address.ts'
import { hasForgotten, matchForgotten } from './forgotten.ts'
import { earlierKeys, fingerprint, identityKey, sharedIdentity } from './identity.ts'
import { findExact, findKnown, findReissued, findSharing, isSharedIdentity } from './known-articles.ts'
import { hasTitle, isAnotherPiece, isAt, type KnownArticle, type ShownEntry } from './same-article.ts'

/**
 * The stored identities in one read of a feed: of all its entries (`shown`), of recognised articles (`matched`), and those
 * given to rows (`assigned`).
 */
export type SeenIdentities = { shown: Set<string>; matched: Set<string>; assigned: Set<string> }

/** What the store knows about some entries of a read. */
type Lookup = {
  exactOf: (row: ArticleRow) => KnownArticle | undefined
  /** By the other identities under which articles may be stored. */
  forms: Map<string, KnownArticle>
  reissuesOf: (entry: ShownEntry) => KnownArticle[]
}

/** `isRenewed`: the article is known under another guid, and has this one from now on. */
type Match = { known?: KnownArticle; isRenewed?: boolean }

/**
 * Gives each entry of a feed its stored identity, unique within one read. Entries that share a guid or link, now or
 * earlier, are identified by their differences; an entry that was once alone with it stays the same article, and a known
 * article under a new guid takes that guid. Returns the ids of articles whose text has changed, the rows to save (without
 * duplicates and deleted articles), and in `forgotten` the hashed identities of deleted ones.
 */
export async function recognise(
  db: Db,
  feedId: string,
  shown: ShownEntry[],
  seen: SeenIdentities,
): Promise<{ changed: string[]; rows: ArticleRow[]; forgotten: string[] }> {
  const remembers = await hasForgotten(db, feedId)
  const lookup = await lookUp(db, feedId, shown, remembers)
  const changed: string[] = []
  const rows: ArticleRow[] = []
  const forgotten: string[] = []
  for (const one of shown) {
    const { article, row } = one
    const distinct = distinctKey(article)
    const match = await matchEntry(db, feedId, one, lookup, seen)
    if (match.known) await adoptIdentity(db, match, one, changed)
    if (seen.assigned.has(row.identity)) row.identity = distinct
    if (match.known?.id === null) forgotten.push(fingerprint(match.known.identity))
    else if (!seen.assigned.has(row.identity)) rows.push(row)
    seen.assigned.add(row.identity).add(distinct)
    seen.matched.add(row.identity)
  }
  if (!remembers) return { changed, rows, forgotten }
  const passedOver = await forgottenAmong(db, feedId, rows)
  return {
    changed,
    rows: rows.filter((row) => !passedOver.has(row)),
    forgotten: [...forgotten, ...passedOver.values()],
  }
}

async function lookUp(db: Db, feedId: string, shown: ShownEntry[], remembers: boolean): Promise<Lookup> {
  const exactOf = await findExact(db, feedId, shown, remembers)
  const unsettled = shown.filter((one) => !isSettled(one, exactOf(one.row)))
  const variants = unsettled.flatMap(({ article }) => identityVariants(article))
  const forms = await findKnown(db, feedId, variants, remembers)
  const unknown = unsettled.filter(
    ({ article, row }) =>
      article.bare === undefined && exactOf(row) === undefined && storedForms(article, forms).length === 0,
  )
  return { exactOf, forms, reissuesOf: await findReissued(db, feedId, unknown) }
}

/** Whether the article stored under the identity of an entry is that entry without any further question. */
function isSettled({ article, row }: ShownEntry, exact: KnownArticle | undefined): boolean {
  return exact !== undefined && (article.bare !== undefined || hasTitle(exact, row))
}

/** Finds the stored article of an entry. Without one, the row has the identity of a new article. */
async function matchEntry(
  db: Db,
  feedId: string,
  one: ShownEntry,
  { exactOf, forms, reissuesOf }: Lookup,
  { shown, matched }: SeenIdentities,
): Promise<Match> {
  const { article, row } = one
  const take = (known: KnownArticle, isRenewed = false): Match => {
    matched.add(known.identity)
    return { known, isRenewed }
  }
  const exact = exactOf(row)
  const found = isSettled(one, exact) ? exact : storedForms(article, forms).find((form) => isMatch(form, one))
  if (found && !matched.has(found.identity)) return take(found)
  if (!exact) {
    const reissued = reissuesOf(one).find(({ identity }) => !matched.has(identity) && !shown.has(identity))
    return reissued ? take(reissued, true) : {}
  }
  const known = await matchSharedGuid(db, feedId, one, exact)
  return known && known !== exact && !matched.has(known.identity) ? take(known) : known ? { known } : {}
}

/**
 * Whether an entry is the article `exact`, which has its guid under another title, another article that has shared the guid,
 * or, with undefined, a new one.
 */
async function matchSharedGuid(
  db: Db,
  feedId: string,
  one: ShownEntry,
  exact: KnownArticle,
): Promise<KnownArticle | undefined> {
  const { article, row } = one
  if (article.bare === undefined && !hasTitle(exact, row)) {
    const others = await findSharing(db, feedId, article.identity)
    if (isAnotherPiece(exact, one)) {
      const isHere = (other: KnownArticle) => isAt(other, row.canonical) && !isAnotherPiece(other, one)
      row.identity = identityKey(sharedIdentity(article.identity, { url: article.url }))
      return others.find((other) => hasTitle(other, row) || isHere(other))
    }
    if (isAt(exact, row.canonical) && !others.some((other) => isAt(other, row.canonical))) return exact
  }
  if (!(await isSharedIdentity(db, feedId, article.identity))) return exact // the same article with another text
  row.identity = distinctKey(article)
  return undefined
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

/**
 * The other identities under which the article may be stored: longer ones if it shared its guid or link earlier, the
 * shorter one if it did not, and those with the link as it is, which earlier versions stored without a guid.
 */
function identityVariants({ identity, bare, url, title }: NewArticle): string[] {
  const base = bare ?? identity
  const canonical = canonicalAddress(url)
  const bases = base === canonical && url !== canonical ? [base, url] : [base]
  const forms = bases.flatMap((start) => [
    ...[{ url, title }, { title }, { url }, { url: canonical }].map((more) => sharedIdentity(start, more)),
    ...(bare === undefined && start === base ? [] : [start]),
  ])
  return forms.flatMap((form) => [identityKey(form), ...earlierKeys(form)])
}

function storedForms(article: NewArticle, forms: Map<string, KnownArticle>): KnownArticle[] {
  return identityVariants(article).flatMap((form) => forms.get(form) ?? [])
}

/** An entry that shares its guid now must also have the same title and address. */
function isMatch(form: KnownArticle, { article, row }: ShownEntry): boolean {
  return article.bare === undefined || (hasTitle(form, row) && isAt(form, row.canonical))
}

async function adoptIdentity(
  db: Db,
  { known, isRenewed }: Match,
  { article, row }: ShownEntry,
  changed: string[],
): Promise<void> {
  if (!known) return
  const { id, identity } = known
  if (article.bare === undefined && !isRenewed) row.identity = identity
  if (id === null) return
  if (!hasTitle(known, row) || !isAt(known, row.canonical)) changed.push(id)
  if (row.identity === identity) return
  await db.updateTable('articles').set({ identity: row.identity }).where('id', '=', id).execute()
}
