import { maxLength } from '../../../config/field-limits.ts'
import { firstWords, wholeSentences } from '../../markup/sentences.ts'
import { summaryWords } from '../../markup/summary.ts'
import { maxSummaryLength, titleText } from '../../markup/text.ts'
import type { Entry } from '../entry.ts'
import { firstResult } from './first-result.ts'

/** The title and summary of an entry as plain text; `words` are its first words, for an entry without a title. */
export type Texts = { ownTitle: string; words: string; summary: string }

export function readTexts({ title, texts, author }: Entry): Texts {
  const ownTitle = titleText(title, maxLength.title)
  const text = firstResult(texts, (rich) => summaryWords(rich, { title: ownTitle, author })) ?? ''
  const words = ownTitle ? '' : firstWords(text)
  return { ownTitle, words, summary: wholeSentences(withoutWords(text, words), maxSummaryLength) }
}

/** The text without its first sentence, if that is the title and does not begin a quotation that goes on. */
function withoutWords(text: string, words: string): string {
  const isOpen = (words.match(/"/g)?.length ?? 0) % 2 === 1 || words.lastIndexOf('“') > words.lastIndexOf('”')
  return words !== '' && !isOpen && text.startsWith(words) ? text.slice(words.length).trim() : text
}
