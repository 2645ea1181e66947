import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { PageCheck } from '../articles/recheck-page.ts'
import { claimCorrections } from '../store/corrections/corrections.ts'
import { type PrintedTitle, recordPrinted } from '../store/corrections/printed-titles.ts'
import { lockDigest } from '../store/digests/digests.ts'
import { addChoiceReason } from '../store/editions/choices.ts'
import { lockEdition, moveEdition } from '../store/editions/editions.ts'
import { addVariant } from '../store/editions/variants.ts'
import type { NewEvent } from '../store/events/event.ts'
import { addEvent } from '../store/events/events.ts'
import { newId } from '../store/id.ts'
import { claimArticles, expirePassedOver } from '../store/ledger/ledger.ts'
import { claimLetters, hasRewordedLetter, recordPrintedHeadline } from '../store/letters/printing.ts'
import { recordEditionPictures } from '../store/pictures/pictures.ts'
import type { Db } from '../store/schema.ts'
import type { Instant } from '../time/clock.ts'
import type { ComposeNeeds } from './compose/draft.ts'
import { articlesIn, type Draft, type DraftArticle, lettersIn, type Rendered } from './edition.ts'
import { ownEdits } from './edits/load-edits.ts'
import type { LeftOutPicture } from './pictures/own-pictures.ts'
import type { PreflightFindings } from './preflight.ts'
import { reasonWithSize } from './review/hold-reason.ts'
import { htmlBytes, sizeProblem } from './size.ts'
import { compareStories } from './stories/compare.ts'

/** What changed while the edition was rendered. */
export type SealConflict = 'articles' | 'corrections' | 'letters' | 'edits'

class SealConflictError extends Error {
  readonly conflict: SealConflict
  constructor(conflict: SealConflict) {
    super()
    this.conflict = conflict
  }
}

/** What was found before the seal: about pages, and about pictures. */
export type SealFindings = { found: PreflightFindings; leftOut: LeftOutPicture[] }

type SizeProblem = ReturnType<typeof sizeProblem>

/** Stores the seal in one transaction. Returns the conflict that prevented it, or undefined if the edition is sealed. */
export async function storeSealed(
  { db, clock }: ComposeNeeds,
  draft: Draft,
  rendered: Rendered,
  findings: SealFindings,
): Promise<SealConflict | undefined> {
  const { edition, slot } = draft
  const now = clock.now()
  const problem = sizeProblem(htmlBytes({ html: rendered.html, slot }))
  try {
    await db.transaction().execute(async (trx: Db) => {
      await lockDigest(trx, edition.digest, now)
      await compareStories(trx, edition.digest, now) // new articles may join two chosen ones into one story
      if (!(await moveToSealed(trx, draft, rendered, problem, now))) return
      await claimContents(trx, draft)
      await recordContents(trx, draft, findings)
      const { head, subject, html, text } = rendered
      const parts = { head, subject, html, text, sha256: sealHash(rendered), slot }
      const variant = { id: newId(now), editionId: edition.id, name: 'all', ...parts, sealedAt: now, withdrawnAt: null }
      await addVariant(trx, variant)
      await expirePassedOver(trx, edition.digest, edition.id, now)
      for (const event of sealEvents(edition.id, articlesIn(draft.sections), findings, problem))
        await addEvent(trx, event, now)
    })
  } catch (error) {
    if (!(error instanceof SealConflictError)) throw error
    return error.conflict
  }
}

/** Returns whether the edition was still composed. An edition that a person or a rule holds becomes held. */
async function moveToSealed(
  db: Db,
  { edition }: Draft,
  { subject, preheader }: Rendered,
  problem: SizeProblem,
  now: Instant,
): Promise<boolean> {
  const current = await lockEdition(db, edition.id) // with a hold of the time since the draft was loaded
  if (!current) return false
  const reason = reasonWithSize(current, problem)
  const status = reason === null && current.heldBy === null ? 'sealed' : 'held'
  const revision = current.revision + 1
  const change = { status, reason, sealedAt: now, subject, preheader, revision } as const
  return await moveEdition(db, edition.id, ['composed'], change)
}

/** Claims the contents of the draft. Throws SealConflictError if they have changed. */
async function claimContents(db: Db, { edition, sections, corrections, edited }: Draft): Promise<void> {
  const articleIds = articlesIn(sections).map(({ id }) => id)
  const letters = lettersIn(sections)
  const letterIds = letters.map(({ id }) => id)
  const edits = (await ownEdits(db, edition.id)).map(({ id }) => id)
  if (!isDeepStrictEqual(edits, edited?.editIds ?? [])) throw new SealConflictError('edits')
  const claimedArticles = await claimArticles(db, edition.digest, edition.id, articleIds)
  if (claimedArticles !== articleIds.length) throw new SealConflictError('articles')
  const claimedLetters = await claimLetters(db, edition.id, letterIds)
  if (claimedLetters !== letterIds.length) throw new SealConflictError('articles')
  const claimedCorrections = await claimCorrections(db, edition.id, corrections)
  if (claimedCorrections !== corrections.length) throw new SealConflictError('corrections')
  if (await hasRewordedLetter(db, letters)) throw new SealConflictError('letters')
}

/** Records the printed text of each article and letter, the title and note of each page, and the pictures. */
async function recordContents(
  db: Db,
  { edition, sections, pictures }: Draft,
  { found, leftOut }: SealFindings,
): Promise<void> {
  for (const article of articlesIn(sections)) {
    const { finding, answer } = found.get(article.id) ?? {}
    if (finding) await addChoiceReason(db, edition.id, article.id, finding.reason)
    await recordPrinted(db, edition.id, article.id, printedOf(article, answer))
  }
  for (const letter of lettersIn(sections)) await recordPrintedHeadline(db, edition.id, letter)
  for (const { article, reason } of leftOut) {
    const further = { code: 'picture-left-out', reason: reason.reason } as const
    if (article !== null) await addChoiceReason(db, edition.id, article, further)
  }
  const hashes = [...(pictures?.values() ?? [])].map(({ hash }) => hash)
  await recordEditionPictures(db, edition.id, hashes)
}

function sealEvents(
  edition: string,
  articles: DraftArticle[],
  { found, leftOut }: SealFindings,
  problem: SizeProblem,
): NewEvent[] {
  const unchecked = articles.flatMap(({ id, title }) => {
    const finding = found.get(id)?.finding
    return finding?.kind === 'unchecked' ? [{ code: 'page-finding' as const, title, finding: finding.reason }] : []
  })
  const about = { actor: 'system' as const, edition }
  const events: NewEvent[] = []
  if (unchecked.length > 0) events.push({ kind: 'edition.pages_unchecked', ...about, data: { articles: unchecked } })
  if (leftOut.length > 0) {
    const pictures = leftOut.map(({ reason }) => reason)
    events.push({ kind: 'edition.pictures_left_out', ...about, data: { pictures } })
  }
  if (problem) {
    const kind = problem.code === 'clipped' ? 'edition.clipped' : 'edition.too_large'
    events.push({ kind, ...about, data: { bytes: problem.bytes } })
  }
  return [...events, { kind: 'edition.sealed', ...about, data: {} }]
}

function printedOf({ title, url, note, feedTitle }: DraftArticle, answer?: PageCheck): PrintedTitle {
  const printed = { saidTitle: title, saidUrl: url, saidNote: note, feedTitle: feedTitle ?? null }
  if (answer?.kind !== 'there') return { ...printed, pageTitle: null, pageNote: null }
  return { ...printed, pageTitle: answer.isArticle ? answer.title : '', pageNote: answer.note?.text ?? '' }
}

/**
 * SHA-256 (hex) over headers, subject, HTML and text, each with its length in bytes before it, so that different
 * editions have different hashes.
 */
export function sealHash({ head, subject, html, text }: Pick<Rendered, 'head' | 'subject' | 'html' | 'text'>): string {
  const hash = createHash('sha256')
  for (const part of [head, subject, html, text]) hash.update(`${Buffer.byteLength(part)}\n`).update(part)
  return hash.digest('hex')
}
