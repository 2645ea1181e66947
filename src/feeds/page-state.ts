import { longestInAll, type Note, noteIn, noteOnPage } from './correction-note.ts'
import { longest } from './longest.ts'
import { headOf, records, string } from './page.ts'
import { wholeSentences } from './sentences.ts'
import { plainText, shortText } from './text.ts'
import { absolute } from './url.ts'

export type PageState = { canonical: string | null; title: string; isArticle: boolean; note: Note | null }

/**
 * How a page stands: its address and headline as it names them itself (Open Graph, else structured data), and the
 * correction that it tells of, in structured data (schema.org `correction`) or in its text.
 */
export function readState(html: string, url: string): PageState {
  const { metas, articles, canonical } = headOf(html)
  const [data = {}] = articles
  return {
    canonical: canonical === '' ? null : absolute(canonical, url),
    title: shortText({ value: metas.get('og:title') || string(data.headline), kind: 'perhaps-html' }, longest.title),
    isArticle: articles.length > 0 || /article/i.test(metas.get('og:type') ?? ''),
    note: structuredNote(data.correction) ?? noteOnPage(html),
  }
}

/** `correction` is text, or a CorrectionComment with `text` and `datePublished`, or several of them. */
function structuredNote(correction: unknown): Note | null {
  const given = [correction].flat().flatMap((one) => {
    const [comment = {}] = records(one)
    const value = string(one) || string(comment.text) || string(comment.description)
    const text = plainText({ value, kind: 'perhaps-html' }, 600)
    return text === '' || /^https?:\S+$/.test(text) ? [] : [{ text, on: dayIn(string(comment.datePublished)) }]
  })
  const text = wholeSentences(given.map((one) => one.text).join(' '), longestInAll)
  const on =
    given
      .flatMap((one) => one.on ?? [])
      .sort()
      .at(-1) ??
    noteIn([text])?.on ??
    null
  return text === '' ? null : { text, on }
}

function dayIn(date: string): string | null {
  return /^\d{4}-\d\d-\d\d/.exec(date)?.[0] ?? null
}
