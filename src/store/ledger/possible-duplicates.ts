import type { Db } from '../schema.ts'

/** For these articles, the article of another story that each may repeat, with the edition that has it. */
export async function possibleDuplicatesOf(db: Db, digest: string, articleIds: string[]) {
  if (articleIds.length === 0) return []
  return await db
    .selectFrom('ledger as marked')
    .innerJoin('ledger as other', (join) =>
      join.onRef('other.digest', '=', 'marked.digest').onRef('other.articleId', '=', 'marked.possibleDuplicateOf'),
    )
    .innerJoin('articles', 'articles.id', 'other.articleId')
    .innerJoin('feeds', 'feeds.id', 'other.feedId')
    .leftJoin('editions', 'editions.id', 'other.editionId')
    .select(['marked.articleId', 'other.articleId as otherId', 'articles.title', 'articles.url'])
    .select(['feeds.title as source', 'feeds.url as feedUrl', 'other.editionId', 'editions.number', 'editions.dueAt'])
    .where('marked.digest', '=', digest)
    .where('marked.articleId', 'in', articleIds)
    .execute()
}

/** Records that the article is another story than the one that it may repeat. */
export async function markNotDuplicate(db: Db, digest: string, articleId: string): Promise<void> {
  await db
    .updateTable('ledger')
    .set((eb) => ({ unlike: eb.ref('possibleDuplicateOf'), possibleDuplicateOf: null }))
    .where('digest', '=', digest)
    .where('articleId', '=', articleId)
    .where('possibleDuplicateOf', 'is not', null)
    .execute()
}
