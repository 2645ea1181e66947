import { otherCopies } from '../../store/ledger/other-copies.ts'
import type { Db } from '../../store/schema.ts'
import type { DraftArticle, DraftItem } from '../edition.ts'

/** Maximum number of other sources that are named under an article. */
const maxNamed = 3

type Coverage = Required<Pick<DraftArticle, 'alsoIn' | 'alsoInMore'>>

/** Adds to the articles which other feeds have their story, one link for each source. */
export async function addOtherCoverage(db: Db, digest: string, items: DraftItem[]): Promise<DraftItem[]> {
  const articles = items.flatMap((item) => (item.kind === 'article' ? [item.article] : []))
  const copies = await otherCopies(
    db,
    digest,
    articles.map(({ id }) => id),
  )
  if (copies.length === 0) return items
  const byArticle = Map.groupBy(copies, ({ of }) => of)
  return items.map((item) => {
    if (item.kind !== 'article') return item
    return { ...item, article: { ...item.article, ...coverageOf(item.article, byArticle.get(item.article.id) ?? []) } }
  })
}

function coverageOf(
  { source, feedUrl }: DraftArticle,
  copies: { source: string; feedUrl: string; url: string }[],
): Coverage {
  const bySource = new Map<string, string>()
  for (const copy of copies) {
    const name = copy.source || new URL(copy.feedUrl).host
    if (name !== (source || new URL(feedUrl).host) && !bySource.has(name)) bySource.set(name, copy.url)
  }
  const all = [...bySource].map(([name, url]) => ({ source: name, url }))
  return { alsoIn: all.slice(0, maxNamed), alsoInMore: Math.max(0, all.length - maxNamed) }
}
