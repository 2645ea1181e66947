import { resolveBase } from '../../../http/url.ts'
import type { Body, NewArticle } from '../../../store/articles/article.ts'
import { isSameText } from '../../markup/endings/endings.ts'
import { summaryWords } from '../../markup/summary.ts'
import { maxSummaryLength, plainText, type RichText } from '../../markup/text.ts'
import { type DateOrder, readDate } from '../dates.ts'
import type { Entry } from '../entry.ts'
import { firstResult } from './first-result.ts'

/** Makes safe HTML of a text, with links absolute from `base`; see clean-body.ts. */
export type BodyCleaner = (text: RichText, base: string) => Body | null

/** No section has more articles. */
const maxBodies = 200

export function newestEntries(entries: Entry[], order: DateOrder | null): Set<Entry> {
  if (entries.length <= maxBodies) return new Set(entries)
  const dated = entries.map((entry) => ({
    entry,
    at: firstResult([...entry.published, ...entry.updated], (text) => readDate(text, order)) ?? '',
  }))
  const latest = dated.toSorted((one, other) => (one.at < other.at ? 1 : one.at > other.at ? -1 : 0))
  return new Set(latest.slice(0, maxBodies).map(({ entry }) => entry))
}

type BodyContext = { clean: BodyCleaner; base: string; bases: string[] }

/**
 * The longest text of the entry, or null if it only repeats the summary. The base of its links is xml:base, else the
 * article's address.
 */
export function articleBody(
  entry: Entry,
  { url, title, author, summary }: NewArticle,
  { clean, base, bases }: BodyContext,
): Body | null {
  const [longestBody] = entry.bodies.toSorted((one, other) => other.text.value.length - one.text.value.length)
  if (!longestBody) return null
  const entryBases = [...entry.bases, longestBody.base].filter((step) => step !== '')
  const body = clean(longestBody.text, resolveBase(entryBases, bases.length + entryBases.length > 0 ? base : url))
  const words = body ? summaryWords({ value: body.html, kind: 'html' }, { title, author }) : ''
  const hasSummary = entry.bodies.some(({ own, text }) => !own && text.value !== '')
  const isSummary = longestBody.own ? hasSummary && isSameText(words, summary) : words.length <= maxSummaryLength
  return isSummary || !body ? null : withoutLeadingTitle(body, title)
}

/** Without a heading or paragraph at its start that only says the title. */
function withoutLeadingTitle({ html, cut }: Body, title: string): Body {
  const first = /^<(h3|h4|p)>(?:(?!<\/?(?:h3|h4|p)>)[\s\S]){1,3000}?<\/\1>/.exec(html)?.[0] ?? ''
  const isTitle = first !== '' && isSameText(plainText({ value: first, kind: 'html' }), title)
  return { html: isTitle && first.length < html.length ? html.slice(first.length) : html, cut }
}
