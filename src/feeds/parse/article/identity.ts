import { maxLength } from '../../../config/field-limits.ts'
import type { NewArticle } from '../../../store/articles/article.ts'
import { canonicalAddress } from '../../../store/articles/canonical-address.ts'
import { bareIdentity, fingerprint, identityKey, sharedIdentity } from '../../../store/articles/identity.ts'
import type { RejectedEntry as Rejected } from '../../../store/feeds/rejections.ts'
import type { Entry } from '../entry.ts'

/** From the guid, else from the canonical address, else from the whole entry. */
export function entryIdentity(
  { guid, texts, author }: Entry,
  { url, title, publishedAt }: { url: string | null; title: string; publishedAt: string | null },
): string {
  const content = () => fingerprint([title, ...texts.map(({ value }) => value), publishedAt, author].join('\n'))
  const address = url !== null && /^https?:/i.test(url) ? canonicalAddress(url) : (url ?? '')
  return identityOf(guid) || identityOf(address) || content()
}

/** A guid or link that is too long for an index is replaced by its hash, as in the store. */
export function identityOf(text: string): string {
  const identity = bareIdentity(text)
  return identity.length > maxLength.identity ? identityKey(identity) : identity
}

/**
 * Makes identities unique within the feed. Articles with the same guid but different links, or the same link but different
 * titles, all get the difference in their identity, so that it does not depend on their order.
 */
export function withUniqueIdentities(read: NewArticle[], rejected: Rejected[]): NewArticle[] {
  if (new Set(read.map(({ identity }) => identity)).size === read.length) return read
  const urls = distinctValues(
    read,
    ({ identity }) => identity,
    ({ url }) => url,
  )
  const titles = distinctValues(
    read,
    ({ identity, url }) => sharedIdentity(identity, { url }),
    ({ title }) => title,
  )
  const articles = new Map<string, NewArticle>()
  for (const article of read) {
    const { identity: bare, url, title } = article
    const byUrl = hasSeveral(urls, bare) ? { url } : {}
    const byTitle = hasSeveral(titles, sharedIdentity(bare, { url })) ? { title } : {}
    const identity = sharedIdentity(bare, { ...byUrl, ...byTitle })
    if (articles.has(identity))
      rejected.push({
        reason: { code: 'duplicate-entry' },
        title,
        link: url.slice(0, maxLength.rejected),
        guid: bare.slice(0, maxLength.rejected),
      })
    else articles.set(identity, identity === bare ? article : { ...article, identity, bare })
  }
  return [...articles.values()]
}

type DistinctValues = Map<string, Set<string>>

function distinctValues(
  read: NewArticle[],
  key: (article: NewArticle) => string,
  value: (article: NewArticle) => string,
): DistinctValues {
  const found: DistinctValues = new Map()
  for (const article of read) {
    const values = found.get(key(article))
    if (values) values.add(value(article))
    else found.set(key(article), new Set([value(article)]))
  }
  return found
}

function hasSeveral(found: DistinctValues, key: string): boolean {
  return (found.get(key)?.size ?? 0) > 1
}
