import { maxCategories, maxLength } from '../../../config/field-limits.ts'
import { absoluteUrl, resolveBase } from '../../../http/url.ts'
import type { NewArticle } from '../../../store/articles/article.ts'
import type { Reason } from '../../../store/events/reason.ts'
import type { RejectedEntry as Rejected } from '../../../store/feeds/rejections.ts'
import { noteInTexts } from '../../markup/correction-note.ts'
import { type DateOrder, readDate } from '../dates.ts'
import type { Entry } from '../entry.ts'
import { type AuthorStyle, authorLine } from './authors.ts'
import { firstResult } from './first-result.ts'
import { entryIdentity, identityOf } from './identity.ts'
import { readLink } from './link.ts'
import { picturesOfEntry, videoOf } from './media.ts'
import { readTexts } from './texts.ts'

/** What an entry takes from its feed where it has none of its own; `base` is that of relative addresses. */
export type Context = {
  base: string
  hasBase: boolean
  order: DateOrder | null
  authors: AuthorStyle
  /** From where the feed was read. */
  feedUrl: string
  /** The addresses of the feed itself, without scheme. */
  feedUrls: string[]
  fallbackUrl: string
  fallbackTitle: string
  author: string
}

/** The checked entry, or why it is not an article. */
export function toArticle(entry: Entry, context: Context): NewArticle | Rejected {
  const base = resolveBase(entry.bases, context.base)
  const { ownTitle, words, summary } = readTexts(entry)
  const links = entry.links.filter((one) => !isFeedItself(absoluteUrl(one, base), context.feedUrls))
  const title = ownTitle || words || context.fallbackTitle || context.fallbackUrl
  const link = readLink(links, { base, feedUrl: context.feedUrl })
  if ('reason' in link) return toRejected(entry, title, link.reason, link.link)
  const { url: ownUrl } = link
  if (isEmpty(entry) && !ownTitle && !words && !ownUrl) return { reason: { code: 'empty-entry' }, title: '' }
  const instant = (text: string) => readDate(text, context.order)
  const updatedAt = firstResult(entry.updated, instant)
  const publishedAt = firstResult(entry.published, instant) ?? updatedAt
  const note = noteInTexts(entry.texts)
  return {
    identity: entryIdentity(entry, { url: ownUrl, title: ownTitle, publishedAt }),
    url: ownUrl ?? context.fallbackUrl,
    title,
    summary,
    author: authorLine(entry.author, context.authors) || context.author,
    ...picturesOfEntry(
      entry,
      { url: ownUrl ?? context.fallbackUrl, title },
      { feed: context.base, elements: isHttpUrl(ownUrl) ? base : context.base, hasFeedBase: context.hasBase },
    ),
    video: videoOf(entry, base),
    categories: [...new Set(entry.categories)].slice(0, maxCategories),
    publishedAt,
    updatedAt,
    ...(note && { note: note.text }),
  }
}

/** Readers are not sent to the XML of a feed. */
function isFeedItself(url: string | null, feedUrls: string[]): boolean {
  return url !== null && feedUrls.includes(withoutScheme(url))
}

export function withoutScheme(url: string): string {
  return url.replace(/^https?:\/\/|#.*$/g, '')
}

function isHttpUrl(url: string | null): boolean {
  return url !== null && /^https?:/.test(url)
}

function toRejected(entry: Entry, title: string, reason: Reason, link = entry.links[0] ?? ''): Rejected {
  return {
    reason,
    title,
    link: link.slice(0, maxLength.rejected),
    guid: identityOf(entry.guid).slice(0, maxLength.rejected),
  }
}

function isEmpty(entry: Entry): boolean {
  const { guid, author, categories, published, updated, images, video } = entry
  return (
    !guid.trim() && !author && !categories.length && !published.length && !updated.length && !images.length && !video
  )
}
