import { createHash } from 'node:crypto'
import type { PageCheck } from '../../articles/recheck-page.ts'
import type { CorrectionNote } from '../../feeds/markup/correction-note.ts'
import type { PrintedTitleRow } from '../../store/corrections/printed-titles.ts'
import { type Reason, withFurther } from '../../store/events/reason.ts'
import type { CorrectionRow } from '../../store/schema.ts'
import { classifyChange, headlineOverlap, minOverlap } from './classify.ts'

/** A difference between a printed article and its source now. */
export type Change = Pick<CorrectionRow, 'kind' | 'class' | 'changeKey' | 'found'> & { evidence: Reason }

type PrintedArticle = Pick<
  PrintedTitleRow,
  'saidTitle' | 'saidNote' | 'pageTitle' | 'pageNote' | 'approvedAt' | 'source'
> &
  Partial<Pick<PrintedTitleRow, 'feedTitle' | 'saidUrl'>>

/**
 * The differences between the printed article and the feed now. A headline that an editor reworded is compared with the
 * feed's earlier headline too. None if the feed now uses the entry for another article.
 */
export function feedChanges(printed: PrintedArticle, now: { title: string; note: string; url?: string }): Change[] {
  if (isOtherArticle(printed, now)) return []
  const site = printed.source || 'the feed'
  const was = printed.feedTitle || printed.saidTitle
  const before = [printed.saidTitle, ...(printed.feedTitle ? [printed.feedTitle] : [])]
  const headline = before.every((title) => isDifferentHeadline(title, now.title, [printed.source]))
    ? [headlineChange(was, now.title, { code: 'feed-headline', source: site })]
    : []
  const note = now.note === '' ? null : { text: now.note, on: null }
  return [...headline, ...noteChange(printed, note, printed.saidNote ?? '', { code: 'feed-note', source: site })]
}

/** The reason why a correction of this kind no longer applies; `headline` is the current one. */
export function revertedReason(kind: Change['kind'], headline: string): Reason {
  if (kind === 'gone') return { code: 'page-back' }
  if (kind === 'headline' && headline !== '') return { code: 'headline-now', title: headline }
  return { code: kind === 'note' ? 'note-removed' : 'headline-other' }
}

/** The kinds of change that the answer of a page can show, and the changes that it shows. */
export function pageChanges(printed: PrintedArticle, page: PageCheck): { kinds: Change['kind'][]; changes: Change[] } {
  if (page.kind === 'unknown') return { kinds: [], changes: [] }
  if (page.kind === 'gone') {
    const evidence: Reason = { code: 'page-answer', answer: page.reason }
    const gone: Change = { kind: 'gone', class: 'correction', changeKey: 'gone', found: page.reason, evidence }
    return { kinds: ['gone'], changes: [gone] }
  }
  const changes = noteChange(printed, page.note, printed.pageNote, { code: 'page-note' })
  // The headline of a page often differs from the feed from the start, so only a later change counts.
  if (!page.isArticle || page.title === '' || !printed.pageTitle) return { kinds: ['gone', 'note'], changes }
  const isOther =
    isDifferentHeadline(printed.pageTitle, page.title, [printed.source]) &&
    isDifferentHeadline(printed.saidTitle, page.title, [printed.source])
  if (isOther) changes.push(headlineChange(printed.pageTitle, page.title, { code: 'page-headline' }))
  return { kinds: ['gone', 'note', 'headline'], changes }
}

/** Whether an entry has another address and a headline with few words of the printed one: its id was used again. */
function isOtherArticle({ saidTitle, saidUrl, feedTitle }: PrintedArticle, now: { title: string; url?: string }) {
  if (!saidUrl || !now.url || addressKey(saidUrl) === addressKey(now.url)) return false
  return headlineOverlap(feedTitle || saidTitle, now.title) < minOverlap
}

/** An address without its scheme, `www.`, query, fragment and last slash. */
function addressKey(url: string): string {
  return url
    .replace(/^https?:\/\/(?:www\.)?/i, '')
    .replace(/[?#].*$/, '')
    .replace(/\/$/, '')
}

function headlineChange(was: string, title: string, evidence: Reason): Change {
  const changed = classifyChange(stripDecorations(was), stripDecorations(title))
  return {
    kind: 'headline',
    class: changed.class,
    changeKey: `headline ${shortHash(headlineKey(title))}`,
    found: title,
    evidence: withFurther(evidence, ...changed.facts),
  }
}

/**
 * The change that a new note makes; a note dated before the approval is ignored. `earlierNote`: the note before the
 * seal; null: the page was not checked then.
 */
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
      class: 'correction',
      changeKey,
      found: note.text,
      evidence: isDoubtful ? withFurther(evidence, { code: 'note-maybe-older' }) : evidence,
    },
  ]
}

/** Whether two headlines differ in meaning, ignoring case, quotes, white space and what sites add. */
export function isDifferentHeadline(before: string, after: string, sites: string[]): boolean {
  if (isLiveCoverage(before) && isLiveCoverage(after)) return false // live headlines change all day without a mistake
  const [bareBefore, bareAfter] = [stripDecorations(before), stripDecorations(after)]
  // One headline may include the site name. If both do, both keep it: without it, only a section name may be left.
  const keysBefore = [headlineKey(bareBefore), headlineKey(stripSiteName(bareBefore, sites))]
  const keysAfter = [headlineKey(bareAfter), headlineKey(stripSiteName(bareAfter, sites))]
  return keysBefore[0] !== keysAfter[0] && keysBefore[1] !== keysAfter[0] && keysBefore[0] !== keysAfter[1]
}

/**
 * The key of a headline: lower-case letters, numbers, currency signs and per cent signs, without quotes, hyphens or
 * other signs.
 */
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

const counterNouns =
  'comments?|replies|reply|responses?|votes?|points?|updates?|likes?|shares?|views?|kommentare?|antworten|commentaires?|réponses?|comentarios?|respuestas?|commenti|commento|risposte|reacties?|sylwad(?:au)?'
const counter = `\\d[\\d.,]{0,9}k?\\+? (?:${counterNouns})`
// … (12 comments) · … – 57 Kommentare · … (57)
const counterPattern = new RegExp(`\\s+(?:[([](?:${counter}|\\d{1,6})[)\\]]|[–—|·-] ${counter})$`, 'i')
const countedVotesPattern =
  /\s?[([]?(?:with )?\d{1,3}(?:[.,]\d{1,2})?\s?(?:%|per cent|percent|prozent|pour cent)(?: of (?:the )?votes?| der stimmen)? (?:counted|reporting|declared|ausgezählt|dépouillés?|escrutado|scrutinat[oe]|geteld)[)\]]?/i

/** Text that sites add to a headline without changing its meaning. */
const decorationPatterns: RegExp[] = [
  // The crane meets the tram (12 comments) · … [3 updates] · … – 57 Kommentare
  counterPattern,
  // Smith leads (45% counted) · Smith leads with 45% of votes counted
  countedVotesPattern,
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
