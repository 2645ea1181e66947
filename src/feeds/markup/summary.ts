import { isSameText, lettersOf, withoutEndings } from './endings/endings.ts'
import { type Line, linesOf } from './lines.ts'
import { wholeSentences } from './sentences.ts'
import { maxSummaryLength, type RichText } from './text.ts'

/** What an entry says beside its text, and its text should not say again; each may be empty. */
export type Said = { title: string; author: string }

const nothingSaid: Said = { title: '', author: '' }

/**
 * Plain text up to the last whole sentence that fits, else to a word; without the title or author that it begins with, and
 * without what software appends.
 */
export function summaryText(rich: RichText, said: Said = nothingSaid): string {
  return wholeSentences(summaryWords(rich, said), maxSummaryLength)
}

/** `summaryText` before it is cut to its length. */
export function summaryWords(rich: RichText, { title, author }: Said = nothingSaid): string {
  const lines = linesOf(rich, maxSummaryLength * 3)
  const text = joinLines(withoutEndings(withoutStart(lines, { title, author }), title))
  const own = withoutTitle(text, title)
    .replace(/\s*\[(?:…|\.\.\.)\]$/, ' …')
    .trim()
  return /^[\s.…]*$/.test(own) ? '' : own
}

const contentsHeading =
  /^(?:table of contents|contents|in this (?:article|post)|inhalt(?:sverzeichnis)?|sommaire|table des matières|índice|tabla de contenidos?|contenidos|indice(?: dei contenuti)?|sumário|inhoud(?:sopgave)?|innehåll(?:sförteckning)?|indhold(?:sfortegnelse)?|innhold|sisällys(?:luettelo)?|spis treści|obsah|tartalomjegyzék|cuprins|içindekiler|περιεχόμενα|содержание|оглавление|зміст|目次|目录|目錄|목차|المحتويات|cynnwys)(?: ?\[?(?:hide|show|toggle)\]?)?:?$/iu

/** Without the title as a line of its own, a byline, a heading of contents, and the announcement of a preprint server. */
function withoutStart(given: Line[], { title, author }: Said): Line[] {
  const lines = given.slice()
  for (let count = 0; count < 3; count++) {
    const [first] = lines
    if (!first) break
    if (isSameText(first.text, title) || isByline(first.text, author)) lines.shift()
    else if (contentsHeading.test(first.text)) lines.splice(0, 1 + itemsAfter(lines))
  }
  const [first] = lines
  if (first) lines[0] = { ...first, text: first.text.replace(announcement, '') }
  return lines
}

/** The number of list items directly after the first line. */
function itemsAfter(lines: Line[]): number {
  const end = lines.findIndex(({ isItem }, index) => index > 0 && !isItem)
  return (end < 0 ? lines.length : end) - 1
}

/** arXiv:2611.00001v1 Announce Type: new Abstract: */
const announcement = /^(?:arXiv:\S{1,30} )?Announce Type: [a-z-]{1,30} (?:Abstract: ?)?/

function isByline(text: string, author: string): boolean {
  if (author === '' || text.length > author.length + 20) return false
  return isSameText(text, author) || isSameText(text.replace(byWord, ''), author)
}

const byWord =
  /^(?:written by|posted by|by|von|par|por|di|door|av|af|przez|od|gan|tekst:|text:|texte:|автор:?|від|от|著者[:：]?|作者[:：]?)[: ]\s*/iu

/** The lines as one; a heading before other text ends with a colon if it has no punctuation of its own. */
function joinLines(lines: Line[]): string {
  return lines
    .map(({ text, isHeading }, index) => {
      if (!isHeading || index === lines.length - 1 || !/[\p{L}\p{N}"'”’»)]$/u.test(text)) return text
      return /[\u3040-\u30ff\u4e00-\u9fff]$/u.test(text) ? `${text}：` : `${text}:`
    })
    .join(' ')
}

/** Without the title as the first sentence: "Fares rise. The council …". */
function withoutTitle(text: string, title: string): string {
  if (title === '') return text
  const end = endOfSame(text, title)
  const rest = text.slice(end)
  const separator = /^\s?(?:[.!?。！？]\s*|[:|·–—-]\s+|…\s+)(?=[^\p{Ll}\s])/u.exec(rest) ?? (rest === '' ? [''] : null)
  const isOwn =
    end > 0 && separator !== null && (/[.!?。！？]/.test(separator[0]) || rest === '' || title.includes(' '))
  return isOwn ? rest.slice(separator[0].length).trim() : text
}

/** The index after the title at the start of a text, by letters and digits; 0 if the text begins otherwise. */
function endOfSame(text: string, title: string): number {
  const letters = lettersOf(title)
  if (letters === '' || !lettersOf(text.slice(0, title.length * 2 + 20)).startsWith(letters)) return 0
  let found = ''
  for (const { 0: sign, index } of text.slice(0, title.length * 2 + 20).matchAll(/./gsu)) {
    found += lettersOf(sign)
    if (found.length >= letters.length) return found === letters ? index + sign.length : 0
  }
  return 0
}
