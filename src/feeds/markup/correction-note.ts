import { maxLength as limits } from '../../config/field-limits.ts'
import { blocksOf, mainBlocks } from './blocks.ts'
import { wholeSentences } from './sentences.ts'
import { plainText, type RichText } from './text.ts'

/** The text of a correction; `on` is the date in it, `2026-11-12`, or null. */
export type CorrectionNote = { text: string; on: string | null }

const piece =
  '(?:article|story|piece|column|report|review|interview|post|page|analysis|feature|obituary|editorial|explainer|headline|caption|video|podcast|entry|item)'

const label = '(?:(?:corrections?|clarifications?)(?: (?:and|&) (?:corrections?|clarifications?))?|erratum|retraction)'
const datePattern = '(?:[\\s,(–—-]*(?:\\w{3,9}\\.? )?\\d[\\w ,./)]{0,25})?'

/** How English publications introduce a correction; other languages are not recognised. */
const noteRules: RegExp[] = [
  // Correction: The minister's name is Ana Ruiz, not Anna Ruiz.
  // CORRECTION (Nov. 12, 2026): The vote was 31 to 29, not 31 to 19.
  // Clarification, 12 March: The council has asked us to say that …
  // Corrections and clarifications – A picture with this article showed …
  new RegExp(`^(?:an? )?(?:editor['’]?s['’]? )?${label}${datePattern}\\s*[:–—-]\\s*\\S`, 'i'),
  // This article was amended on 12 November 2026 to correct the name of the minister.
  // (This Nov. 12 story has been corrected to fix the spelling of the village.)
  new RegExp(
    `\\bthis (?:[\\w.,’']+ ){0,4}?${piece} (?:was|has been) (?:also )?(?:amended|corrected|retracted|withdrawn)\\b`,
    'i',
  ),
  // The headline of this article has been corrected.
  // The caption on this piece was amended …
  new RegExp(
    `\\bthe (?:\\w+ )?(?:headline|caption|standfirst|subheading|introduction) (?:of|on|to|in|for|above) this ${piece} (?:was|has been) (?:amended|corrected|changed)\\b`,
    'i',
  ),
  // An earlier version of this article wrongly said that the vote was on Tuesday.
  // The mayor was misnamed in a previous version of this story.
  new RegExp(
    `\\b(?:an? )?(?:earlier|previous|original) (?:\\w+ )?version of (?:this|our) (?:\\w+ )?${piece}\\b(?! (?:first )?(?:appeared|ran|was (?:first )?published))`,
    'i',
  ),
  // This story was updated on 5 March to correct the number of seats.
  // This piece has been edited to remove an incorrect claim.
  /\b(?:was|has been) (?:updated|edited|revised|changed) (?:[^.!?]{0,60} )?to (?:correct|clarify|fix|remove an? (?:error|incorrect|inaccurate|wrong))\b/i,
]

/** Similar texts that are not corrections. */
const falseNoteRules: RegExp[] = [
  // Corrections: if you see an error in our reporting, write to us.
  // Corrections and clarifications: to report a mistake, email …
  /^corrections?\b[^:]{0,40}[:–—-]\s*(?:if you|to (?:report|request|submit|suggest)|please|email|e-mail|contact|write|send|see|read|let us)/i,
  // Correction: our policy · Corrections – our policy and how to complain
  /^corrections?\b[^:]{0,40}[:–—-]\s*(?:our|the) (?:\w+ )?polic/i,
]

/** A heading above the note: "Correction", "Clarification 12 March", "A correction was made on Nov. 12, 2026:". */
const noteHeadings = [
  new RegExp(`^(?:an? )?${label} (?:was|were|has been|have been) (?:made|issued|appended|published)\\b.{0,50}$`, 'i'),
  new RegExp(`^${label}${datePattern}\\s*[:.]?$`, 'i'),
]

/** A quick test: most texts have no note. */
const mayHoldNote =
  /correct|clarif|amended|to (?:fix|remove) |(?:earlier|previous|original) (?:\w+ )?version|retract|erratum|withdrawn/i
const minNoteLength = 25
const maxNoteLength = 600
export const maxTotalNoteLength = limits.correctionNote
const maxNotes = 3

/** The correction in the texts of a feed's entry, or null. */
export function noteInTexts(texts: RichText[]): CorrectionNote | null {
  for (const { value, kind } of texts) {
    if (!mayHoldNote.test(value)) continue
    const decoded = kind === 'text' || value.includes('<') ? value : plainText({ value, kind: 'text' }, value.length)
    const note = noteIn([...blocksOf(decoded)].map(({ text }) => text))
    if (note) return note
  }
  return null
}

/** The correction in the article of a page, or null. */
export function noteOnPage(html: string): CorrectionNote | null {
  return mayHoldNote.test(html) ? noteIn(mainBlocks(html)) : null
}

/** The corrections in these paragraphs as one text: at most three, and `maxTotalNoteLength` characters. */
export function noteIn(blocks: string[]): CorrectionNote | null {
  const notes: string[] = []
  for (const [index, block] of blocks.entries()) {
    const next = blocks[index + 1] ?? ''
    const isLabel = block.length < 100 && next.length >= minNoteLength && noteHeadings.some((rule) => rule.test(block))
    const note = isLabel
      ? wholeSentences(`${block.replace(/[\s:.]+$/, '')}: ${next}`, maxNoteLength)
      : noteInBlock(block)
    if (note !== null && !notes.some((one) => one.includes(note))) notes.push(note)
    if (notes.length === maxNotes) break
  }
  const text = wholeSentences(notes.join(' '), maxTotalNoteLength)
  return text === '' ? null : { text, on: newestDay(text) }
}

function noteInBlock(block: string): string | null {
  if (block.length < minNoteLength || !mayHoldNote.test(block) || falseNoteRules.some((rule) => rule.test(block)))
    return null
  const at = noteRules.map((rule) => rule.exec(block)?.index).find((index) => index !== undefined)
  if (at === undefined) return null
  const before = block.slice(0, at)
  const start = Math.max(0, ...[...before.matchAll(/[.!?]["'”’)]?\s+/g)].map((match) => match.index + match[0].length))
  return wholeSentences(block.slice(start), maxNoteLength)
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const month = '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?'
const dayFirst = new RegExp(`^[^.!?]{0,50}?\\b(\\d{1,2})(?:st|nd|rd|th)? ${month},? (\\d{4})\\b`, 'i')
const monthFirst = new RegExp(`^.{0,50}?\\b${month} (\\d{1,2})(?:st|nd|rd|th)?,? (\\d{4})\\b`, 'i')

/** The latest date near a word of correction: "amended on 12 November 2026", "Correction (Nov. 12, 2026)". */
function newestDay(text: string): string | null {
  const days: string[] = []
  for (const { index } of text.matchAll(/\b(?:amended|corrected|corrections?|clarifications?|updated|made|this)\b/gi)) {
    const near = text.slice(index, index + 90)
    const first = dayFirst.exec(near)
    const second = monthFirst.exec(near)
    if (first) days.push(isoDay(first[1], first[2], first[3]))
    else if (second) days.push(isoDay(second[2], second[1], second[3]))
  }
  return days.sort().at(-1) ?? null
}

function isoDay(day = '', month = '', year = ''): string {
  const number = months.indexOf(month.slice(0, 3).toLowerCase()) + 1
  return `${year}-${String(number).padStart(2, '0')}-${day.padStart(2, '0')}`
}
