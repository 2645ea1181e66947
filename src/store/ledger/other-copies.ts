import type { Db } from '../schema.ts'
import { storyOfEntry } from './stories.ts'

/**
 * The copies of these articles' stories in other feeds and at other addresses, in the order in which they were seen; not
 * those in quarantine or whose page is gone. `of` is the id of the article.
 */
export async function otherCopies(db: Db, digest: string, articleIds: string[]) {
  if (articleIds.length === 0) return []
  return await db
    .selectFrom('ledger as printed')
    .innerJoin('ledger as copy', (join) =>
      join
        .onRef('copy.digest', '=', 'printed.digest')
        .onRef('copy.feedId', '!=', 'printed.feedId')
        .on(storyOfEntry('copy'), '=', storyOfEntry('printed')),
    )
    .innerJoin('articles as original', 'original.id', 'printed.articleId')
    .innerJoin('articles', 'articles.id', 'copy.articleId')
    .innerJoin('feeds', 'feeds.id', 'copy.feedId')
    .select(['printed.articleId as of', 'articles.url'])
    .select(['feeds.title as source', 'feeds.url as feedUrl'])
    .where('printed.digest', '=', digest)
    .where('printed.articleId', 'in', articleIds)
    .where('copy.quarantinedAt', 'is', null)
    .where('copy.cutAt', 'is', null)
    .whereRef('articles.canonical', '!=', 'original.canonical')
    .orderBy('articles.id')
    .execute()
}
