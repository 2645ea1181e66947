import { createHash } from 'node:crypto'
import type { PageCheck } from '../../articles/recheck-page.ts'
import type { CorrectionNote } from '../../feeds/markup/correction-note.ts'
import type { PrintedTitleRow } from '../../store/corrections/printed-titles.ts'
import { type Reason, withFurther } from '../../store/events/reason.ts'
import type { CorrectionRow } from '../../store/schema.ts'

/** Something that an edition said and that is no longer so. */
export type Change = Pick<CorrectionRow, 'kind' | 'changeKey' | 'found'> & { evidence: Reason }

type PrintedArticle = Pick<
  PrintedTitleRow,
  'saidTitle' | 'saidNote' | 'pageTitle' | 'pageNote' | 'approvedAt' | 'source'
> &
  Partial<Pick<PrintedTitleRow, 'feedTitle'>>

/** What differs between what was sealed and what the feed shows now. An editor's own headline is no difference. */
export function feedChanges(printed: PrintedArticle, now: { title: string; note: string }): Change[] {
  const site = printed.source || 'the feed'
  const before = [printed.saidTitle, ...(printed.feedTitle ? [printed.feedTitle] : [])]
  const headline = before.every((title) => isDifferentHeadline(title, now.title, [printed.source]))
    ? [headlineChange(now.title, { code: 'feed-headline', source: site })]
    : []
  const note = now.note === '' ? null : { text: now.note, on: null }
  return [...headline, ...noteChange(printed, note, printed.saidNote ?? '', { code: 'feed-note', source: site })]
}

/** Why a correction of that kind no longer holds; `headline` is the one of today. */
export function revertedReason(kind: Change['kind'], headline: string): Reason {
  if (kind === 'gone') return { code: 'page-back' }
  if (kind === 'headline' && headline !== '') return { code: 'headline-now', title: headline }
  return { code: kind === 'note' ? 'note-removed' : 'headline-other' }
}

/** What the page of an article was looked at for, and which changes it shows. */
export function pageChanges(printed: PrintedArticle, page: PageCheck): { kinds: Change['kind'][]; changes: Change[] } {
  if (page.kind === 'unknown') return { kinds: [], changes: [] }
  if (page.kind === 'gone') {
    const evidence: Reason = { code: 'page-answer', answer: page.reason }
    const gone: Change = { kind: 'gone', changeKey: 'gone', found: page.reason, evidence }
    return { kinds: ['gone'], changes: [gone] }
  }
  const changes = noteChange(printed, page.note, printed.pageNote, { code: 'page-note' })
  // A page has its own headline from the start, often another one than the feed: only a change of it says something.
  if (!page.isArticle || page.title === '' || !printed.pageTitle) return { kinds: ['gone', 'note'], changes }
  const isOther =
    isDifferentHeadline(printed.pageTitle, page.title, [printed.source]) &&
    isDifferentHeadline(printed.saidTitle, page.title, [printed.source])
  if (isOther) changes.push(headlineChange(page.title, { code: 'page-headline' }))
  return { kinds: ['gone', 'note', 'headline'], changes }
}

function headlineChange(title: string, evidence: Reason): Change {
  return { kind: 'headline', changeKey: `headline ${shortHash(headlineKey(title))}`, found: title, evidence }
}

/** `before` is the note that stood there before the seal; null: nobody looked. A note that names an earlier day is old. */
function noteChange(
  printed: PrintedArticle,
  note: CorrectionNote | null,
  earlierNote: string | null,
  evidence: Reason,
): Change[] {
  if (note === null || headlineKey(note.text) === headlineKey(earlierNote ?? '')) return []
  if (note.on !== null && printed.approvedAt !== null && note.on < printed.approvedAt.slice(0, 10)) return []
  const isDoubtful = earlierNote === null && note.on === null
  const changeKey = `note ${shortHash(headlineKey(note.text))}`
  return [
    {
      kind: 'note',
      changeKey,
      found: note.text,
      evidence: isDoubtful ? withFurther(evidence, { code: 'note-maybe-older' }) : evidence,
    },
  ]
}

/** Whether one headline says something else than the other. Case, quotes, white space and what sites put around it do not count. */
export function isDifferentHeadline(before: string, after: string, sites: string[]): boolean {
  if (isLiveCoverage(before) && isLiveCoverage(after)) return false // it is rewritten all day long, and nobody was wrong
  const [bareBefore, bareAfter] = [stripDecorations(before), stripDecorations(after)]
  // One may bear the name of its site; if both do, it says nothing, and what is left may be a mere rubric.
  const keysBefore = [headlineKey(bareBefore), headlineKey(stripSiteName(bareBefore, sites))]
  const keysAfter = [headlineKey(bareAfter), headlineKey(stripSiteName(bareAfter, sites))]
  return keysBefore[0] !== keysAfter[0] && keysBefore[1] !== keysAfter[0] && keysBefore[0] !== keysAfter[1]
}

/** What a headline says: letters in lower case, numbers, currencies and per cent; no quotes, hyphens or other signs. */
export function headlineKey(title: string): string {
  const plain = title
    .normalize('NFKC')
    .toLowerCase()
    .replace(/(?<=\p{L})[-‐‑–](?=\p{L})/gu, '')
    .replace(/['’‘`´]/g, '')
  const words = plain.match(/(?<![\p{L}\p{N}])[-−–](?=\p{N})|\p{Sc}|%|\p{N}+(?:[.,]\p{N}+)*|[\p{L}\p{M}]+/gu) ?? []
  const numbered = words.map((word) => (/^\p{N}/u.test(word) ? `#${word.replace(/,(?=\d{3})/g, '')}` : word))
  return numbered.join('').replace(/[−–]/g, '-') || title.trim()
}

function stripDecorations(title: string): string {
  return decorationPatterns.reduce((text, decoration) => text.replace(decoration, ''), title.trim())
}

// Council opens its books | The Magazine · Council opens its books - The Magazine
function stripSiteName(title: string, sites: string[]): string {
  const [, rest = '', sign = '', site = ''] = /^(.+)\s([|·–—-])\s(.{2,50})$/.exec(title) ?? []
  const isSite =
    sign === '|' || sign === '·' || sites.some((one) => one !== '' && headlineKey(one) === headlineKey(site))
  return isSite ? rest : title
}

/** What sites add to a headline without saying anything else. */
const decorationPatterns: RegExp[] = [
  // UPDATE 2-Oil slides as stocks build · WRAPUP 1-… · REFILE-…
  /^(?:(?:UPDATE|WRAPUP) \d+|REFILE|RECAST)\s?[-–—:]\s?/,
  // Breaking: … · EXCLUSIVE – … · Watch | …
  /^(?:breaking(?: news)?|just in|exclusive|watch|video|listen|updated?|live)\s*[:|–—]\s*|^(?:breaking|exclusive|live) - /i,
  // Council opens its books (updated 10:32 GMT) · … [Updated] · … – updated
  /\s*[([]updated?\b[^)\]]{0,30}[)\]]$|\s+[–—-]\s+updated?$/i,
  // 10:32 Council opens its books · 14:05 GMT: … · 9.15am – …
  /^\d{1,2}(?::\d{2}(?:\s?(?:am|pm))?|\.\d{2}\s?(?:am|pm))(?:\s?(?:GMT|BST|UTC|CET|CEST|E[SD]?T))?\s*[-–—:|]?\s+/i,
  // Council opens its books, 10:32 GMT · … – 4.15pm
  /\s*[-–—|,]\s+\d{1,2}[:.]\d{2}\s?(?:am|pm|GMT|BST|UTC|CET|CEST|E[SD]?T)$/i,
]

const liveCoveragePatterns: RegExp[] = [
  // Budget 2026 live: Chancellor promises …
  /\blive\s*[:|]/i,
  // Storm Ada – live updates · Storm Ada | live
  /(?:[-–—|:]\s*live(?: updates?| blog| coverage)?|\blive (?:updates|blog|coverage))$/i,
  // Budget 2026 – as it happened
  /\bas it happened$/i,
]

function isLiveCoverage(title: string): boolean {
  return liveCoveragePatterns.some((mark) => mark.test(title))
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 24)
}
