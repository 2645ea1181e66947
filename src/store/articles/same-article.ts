import { day, type Instant, msBetween } from '../../time/clock.ts'
import type { ArticleRow } from '../schema.ts'
import type { NewArticle } from './article.ts'
import { titleWords } from './canonical-address.ts'
import { fingerprint } from './identity.ts'

/** A stored article; for a deleted one `id` is null, title and addresses are hashes, and there is no text. */
export type KnownArticle = Pick<ArticleRow, 'identity' | 'titleKey' | 'canonical' | 'asked'> & {
  id: string | null
  publishedAt: Instant | null
  text?: Pick<ArticleRow, 'url' | 'title' | 'summary'>
}

export type ShownEntry = { article: NewArticle; row: ArticleRow }

export function hasTitle({ id, titleKey }: KnownArticle, row: ArticleRow): boolean {
  return titleKey === (id === null ? fingerprint(row.titleKey) : row.titleKey)
}

/** Whether the article is at this address, or was until its redirect was resolved. */
export function isAt({ id, canonical, asked }: KnownArticle, address: string): boolean {
  const sought = id === null ? fingerprint(address) : address
  return canonical === sought || asked === sought
}

/** Two texts that share fewer of their words than this are about different things. */
const minSharedWords = 0.5
const minDaysApart = 1

/**
 * Whether an entry with the guid of a known article is another article, because its publisher used the guid again:
 * headline, address and text differ, and so does the date, where both have one. A title at another fragment of the same
 * page is another article too.
 */
export function isAnotherPiece(known: KnownArticle, { article, row }: ShownEntry): boolean {
  if (hasTitle(known, row)) return false
  if (isAt(known, row.canonical)) return isAtOtherFragment(known, article)
  const { text } = known
  if (text && sharedWords(text.title, article.title) >= minSharedWords) return false
  const hasBothTexts = text !== undefined && text.summary !== '' && article.summary !== ''
  if (hasBothTexts && sharedWords(text.summary, article.summary) >= minSharedWords) return false
  if (known.publishedAt === null || article.publishedAt === null) return hasBothTexts
  return Math.abs(msBetween(known.publishedAt, article.publishedAt)) >= minDaysApart * day
}

/** Whether both are sections of one page, such as `/changes#v1` and `/changes#v2`. */
function isAtOtherFragment({ text }: KnownArticle, { url }: NewArticle): boolean {
  const [ours, theirs] = [fragmentOf(url), fragmentOf(text?.url ?? '')]
  return ours !== '' && theirs !== '' && ours !== theirs && (text?.title ?? '') !== ''
}

function fragmentOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hash : ''
}

/** The share of the different words of two texts that both have, 0 to 1. */
function sharedWords(one: string, other: string): number {
  const [ours, theirs] = [new Set(titleWords(one)), new Set(titleWords(other))]
  const all = ours.union(theirs).size
  return all === 0 ? 0 : ours.intersection(theirs).size / all
}

/**
 * The forms in lower case of a guid that differ only in scheme, `www.`, final slash and case. A guid that is no web address
 * has one form.
 */
export function looseForms(guid: string): string[] {
  const address = guid.toLowerCase()
  const rest = looseRest(address)
  if (rest === null) return [address]
  return ['http://', 'http://www.', 'https://', 'https://www.'].flatMap((start) => [start + rest, `${start + rest}/`])
}

/** Whether two guids in the same loose form differ in case only as far as that has no meaning: in the host. */
export function isSameInCase(one: string, other: string): boolean {
  const [ours, theirs] = [withoutHost(one), withoutHost(other)]
  return ours !== null && ours === theirs
}

function looseRest(address: string): string | null {
  return /^https?:\/\/(?:www\.)?([^/].*?)\/?$/i.exec(address)?.[1] ?? null
}

function withoutHost(address: string): string | null {
  return looseRest(address)?.replace(/^[^/]*/, '') ?? null
}
