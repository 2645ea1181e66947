import type { NewArticle } from './articles.ts'
import { isShared, sharedIdentity } from './identity.ts'
import type { ArticleRow, Db } from './schema.ts'

type Known = Pick<ArticleRow, 'id' | 'identity' | 'titleKey' | 'canonical' | 'asked'>
type Shown = { article: NewArticle; row: ArticleRow }

/**
 * Gives what a feed shows the identity by which it is known. A guid or a link that a site gives to several pieces, now or
 * earlier, makes none of them another article: each is known by what tells it from the others, and one that had it to itself
 * before stays the same. Returns the ids of known articles that read otherwise now. `taken` are the identities of what the
 * feed has shown before these in the same look.
 */
export async function recognise(db: Db, feedId: string, shown: Shown[], taken: Set<string>): Promise<string[]> {
  const known = await knownBy(
    db,
    feedId,
    shown.map(({ article }) => article.identity),
  )
  const isSettled = ({ article, row }: Shown) => {
    const exact = known.get(article.identity)
    return exact !== undefined && (article.bare !== undefined || exact.titleKey === row.titleKey)
  }
  const forms = await knownBy(
    db,
    feedId,
    shown.filter((one) => !isSettled(one)).flatMap(({ article }) => formsOf(article)),
  )
  const changed: string[] = []
  for (const one of shown) {
    const { article, row } = one
    const exact = known.get(article.identity)
    const found = isSettled(one)
      ? exact
      : formsOf(article)
          .map((form) => forms.get(form))
          .find((form) => isIt(form, one))
    if (found && !taken.has(found.identity)) {
      taken.add(found.identity)
      await take(db, found, one, changed)
    } else if (exact && (await isSharedBySome(db, feedId, article.identity)))
      row.identity = sharedIdentity(article.identity, article)
    else if (exact) await take(db, exact, one, changed) // the same article in other words
    taken.add(row.identity)
  }
  return changed
}

/** By what else the article may be known: with more where it shared its guid or link before, with less where it did not. */
function formsOf({ identity, bare, url, title }: NewArticle): string[] {
  const base = bare ?? identity
  const shared = [{ url, title }, { title }, { url }].map((more) => sharedIdentity(base, more))
  return bare === undefined ? shared : [...shared, base]
}

/** What shares its guid today is known by title and address. */
function isIt(form: Known | undefined, { article, row }: Shown): boolean {
  if (!form) return false
  return article.bare === undefined || (form.titleKey === row.titleKey && isAt(form, row.canonical))
}

async function take(db: Db, known: Known, { article, row }: Shown, changed: string[]): Promise<void> {
  const { id, identity } = known
  if (known.titleKey !== row.titleKey || !isAt(known, row.canonical)) changed.push(id)
  row.identity = article.bare === undefined ? identity : article.identity
  if (row.identity === identity) return
  await db.updateTable('articles').set({ identity: row.identity }).where('id', '=', id).execute()
}

async function knownBy(db: Db, feedId: string, identities: string[]): Promise<Map<string, Known>> {
  if (identities.length === 0) return new Map()
  const rows = await db
    .selectFrom('articles')
    .select(['id', 'identity', 'titleKey', 'canonical', 'asked'])
    .where('feedId', '=', feedId)
    .where('identity', 'in', identities)
    .execute()
  return new Map(rows.map((row) => [row.identity, row]))
}

/** Whether several pieces of the feed ever bore it at once. */
async function isSharedBySome(db: Db, feedId: string, bare: string): Promise<boolean> {
  const start = `${bare} `
  const rows = await db
    .selectFrom('articles')
    .select('identity')
    .where('feedId', '=', feedId)
    .where((eb) => eb(eb.fn<string>('substr', ['identity', eb.val(1), eb.val([...start].length)]), '=', start))
    .execute()
  return rows.some(({ identity }) => isShared(identity, bare))
}

/** An address that was followed stays as it is, as long as its feed gives the same. */
function isAt({ canonical, asked }: Known, address: string): boolean {
  return canonical === address || asked === address
}
