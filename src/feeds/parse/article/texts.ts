import { maxLength } from '../../../config/field-limits.ts'
import { firstWords } from '../../markup/sentences.ts'
import { shortText, summaryText } from '../../markup/text.ts'
import type { Entry } from '../entry.ts'
import { firstResult } from './first-result.ts'

/** The title and summary of an entry as plain text; `words` are its first words, for an entry without a title. */
export type Texts = { ownTitle: string; words: string; summary: string }

export function readTexts({ title, texts }: Entry): Texts {
  const ownTitle = shortText(title, maxLength.title)
  const summary = firstResult(texts, summaryText) ?? ''
  const words = ownTitle ? '' : firstWords(summary)
  return { ownTitle, words, summary: summary === (ownTitle || words) ? '' : summary }
}
