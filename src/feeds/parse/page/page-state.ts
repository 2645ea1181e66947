import { maxLength } from '../../../config/field-limits.ts'
import { absoluteUrl } from '../../../http/url.ts'
import { type CorrectionNote, maxTotalNoteLength, noteIn, noteOnPage } from '../../markup/correction-note.ts'
import { wholeSentences } from '../../markup/sentences.ts'
import { plainText, shortText } from '../../markup/text.ts'
import { jsonObjects, readHead, stringValue } from './page-facts.ts'

export type PageState = { canonical: string | null; title: string; isArticle: boolean; note: CorrectionNote | null }

/**
 * The canonical address and headline of a page (Open Graph, else structured data), and its correction, from structured
 * data (schema.org `correction`) or its text.
 */
export function readPageState(html: string, url: string): PageState {
  const { metas, articles, canonical } = readHead(html)
  const [data = {}] = articles
  return {
    canonical: canonical === '' ? null : absoluteUrl(canonical, url),
    title: shortText(
      { value: metas.get('og:title') || stringValue(data.headline), kind: 'perhaps-html' },
      maxLength.title,
    ),
    isArticle: articles.length > 0 || /article/i.test(metas.get('og:type') ?? ''),
    note: structuredNote(data.correction) ?? noteOnPage(html),
  }
}

/** `correction`: text, a CorrectionComment with `text` and `datePublished`, or a list of these. */
function structuredNote(correction: unknown): CorrectionNote | null {
  const notes = [correction].flat().flatMap((one) => {
    const [comment = {}] = jsonObjects(one)
    const value = stringValue(one) || stringValue(comment.text) || stringValue(comment.description)
    const text = plainText({ value, kind: 'perhaps-html' }, 600)
    return text === '' || /^https?:\S+$/.test(text) ? [] : [{ text, on: isoDay(stringValue(comment.datePublished)) }]
  })
  const text = wholeSentences(notes.map((one) => one.text).join(' '), maxTotalNoteLength)
  const on =
    notes
      .flatMap((one) => one.on ?? [])
      .sort()
      .at(-1) ??
    noteIn([text])?.on ??
    null
  return text === '' ? null : { text, on }
}

function isoDay(date: string): string | null {
  return /^\d{4}-\d\d-\d\d/.exec(date)?.[0] ?? null
}
