import { sql } from 'kysely'
import { hostWithoutWww } from '../../http/url.ts'
import { yieldToEventLoop } from '../../time/clock.ts'
import type { NewArticle } from '../articles/article.ts'
import { canonicalAddress, isFrontPage, minTitleWords, titleKey, titleWords } from '../articles/canonical-address.ts'
import { fingerprint, identityKey } from '../articles/identity.ts'
import type { Db, FeedRow } from '../schema.ts'
import { newPublisherPattern } from './publishers.ts'

type Feed = Pick<FeedRow, 'id' | 'newPublisherAt'>

const pageSize = 500
/** A shorter guid, such as a number, can be in the feeds of two publishers. In characters. */
const minGuidLength = 8

/** The articles that the feed listed before its publisher changed; those of a refused publisher are not among them. */
function earlierArticles(db: Db, { id, newPublisherAt }: Feed) {
  const articles = db
    .selectFrom('articles')
    .where('articles.feedId', '=', id)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('ledger')
            .select('ledger.articleId')
            .whereRef('ledger.articleId', '=', 'articles.id')
            .where(sql<string>`ledger.backlog_reason`, 'like', newPublisherPattern),
        ),
      ),
    )
  return newPublisherAt === null ? articles : articles.where('articles.seenAt', '<', newPublisherAt)
}

/** The hosts of all articles that the feed listed before its publisher changed, without `www.`; empty if it had none. */
export async function knownHosts(db: Db, feed: Feed): Promise<string[]> {
  const hosts = new Set<string>()
  for (let after = ''; ; await yieldToEventLoop()) {
    const page = await earlierArticles(db, feed)
      .select(['articles.id', 'articles.url', 'articles.asked'])
      .where('articles.id', '>', after)
      .orderBy('articles.id')
      .limit(pageSize)
      .execute()
    for (const { url, asked } of page) for (const address of [url, asked ?? '']) hosts.add(hostWithoutWww(address))
    if (page.length < pageSize) return [...hosts].filter((host) => host !== '')
    after = page.at(-1)?.id ?? ''
  }
}

/** Whether the feed ever listed one of these articles: by guid, address or title, also before it was deleted. */
export async function hasArticleInCommon(db: Db, feed: Feed, articles: NewArticle[]): Promise<boolean> {
  for (let start = 0; start < articles.length; start += pageSize) {
    const keys = commonKeys(articles.slice(start, start + pageSize))
    const known = earlierArticles(db, feed)
      .select('articles.id')
      .where((eb) =>
        eb.or([
          eb('articles.identity', 'in', keys.guids),
          eb('articles.canonical', 'in', keys.addresses),
          eb('articles.titleKey', 'in', keys.titles),
        ]),
      )
    if (await known.limit(1).executeTakeFirst()) return true
    const forgotten = db
      .selectFrom('forgottenArticles')
      .select('feedId')
      .where('feedId', '=', feed.id)
      .where((eb) =>
        eb.or([
          eb('identity', 'in', keys.guids.map(fingerprint)),
          eb('canonical', 'in', keys.addresses.map(fingerprint)),
          eb('titleKey', 'in', keys.titles.map(fingerprint)),
        ]),
      )
    if (await forgotten.limit(1).executeTakeFirst()) return true
  }
  return false
}

/** Each list has a value at least, because a database does not take an empty one. */
function commonKeys(articles: NewArticle[]) {
  const titled = articles.filter(({ title }) => new Set(titleWords(title)).size >= minTitleWords)
  const guids = articles.map(({ identity }) => identityKey(identity)).filter((guid) => guid.length >= minGuidLength)
  const addresses = articles.map(({ url }) => canonicalAddress(url)).filter((address) => !isFrontPage(address))
  return {
    guids: [...guids, ''],
    addresses: [...addresses, ''],
    titles: [...titled.map(({ title }) => titleKey(title)), ''],
  }
}
