import { AppError } from '../errors.ts'
import type { Log } from '../log.ts'
import { transaction } from '../store/drivers/transaction.ts'
import { editionById } from '../store/editions/editions.ts'
import { addEvent } from '../store/events/events.ts'
import { markPageGone } from '../store/ledger/stories.ts'
import type { EditionRow } from '../store/schema.ts'
import { chooseAgain } from './compose/choose-again.ts'
import { type ComposeNeeds, draftOf } from './compose/draft.ts'
import { confirmCorrections } from './corrections/confirm.ts'
import type { Digest } from './digest.ts'
import { articlesIn, type Draft, type Render, type Rendered } from './edition.ts'
import { ownPictures, type PictureNeeds } from './pictures/own-pictures.ts'
import { type CheckPage, type PreflightState, preflightDeadline, runPreflight } from './preflight.ts'
import { renderDraft } from './render-draft.ts'
import { htmlBytes, isTooLarge, sizeWarning } from './size.ts'
import { type SealConflict, storeSealed } from './store-sealed.ts'

/** Number of attempts, each ended by a conflict, after which sealing fails. */
const maxAttempts = 10

export type SealNeeds = ComposeNeeds & {
  render: Render
  /** Fetches the page of an article again; without it no page is checked. */
  check?: CheckPage | undefined
  /** Loads the pictures; without it they stay links. */
  pictures?: PictureNeeds | undefined
  /**
   * Logs, at `info`, that an edition is too large or that mail programs will clip it; commands print their own message.
   */
  log?: Log
}

/**
 * Seals a composed edition: renders it once, then claims its contents and stores the bytes that preview, test, archive
 * and delivery read, in one transaction. A thin or too large edition is sealed as held; an edition that is sealed
 * already does not change.
 */
export async function seal(needs: SealNeeds, id: string, digest: Digest): Promise<EditionRow> {
  const preflight: PreflightState = { found: new Map(), deadline: preflightDeadline(), correctionAnswers: new Map() }
  const checking = { ...needs, check: digest.lateCheck ? needs.check : undefined }
  for (let attempt = 1; ; attempt++) {
    const draft = await checkedDraft(checking, id, digest, preflight)
    if (!draft) return await requireEdition(needs, id)
    const corrections = await confirmCorrections(checking, id, draft.corrections, preflight.correctionAnswers)
    const { pictures, leftOut } = await ownPictures(needs.pictures, draft)
    const confirmed = { ...draft, corrections, ...(pictures && { pictures }) }
    const rendered = await renderDraft(needs.render, confirmed)
    const conflict = await storeSealed(needs, confirmed, rendered, { found: preflight.found, leftOut })
    if (conflict === undefined) {
      logSizeWarning(needs, confirmed, rendered)
      return await requireEdition(needs, id)
    }
    if (attempt === maxAttempts) throw new AppError('conflict', `${digest.name}: ${conflictMessages[conflict]}`)
    if (conflict === 'articles') await chooseAgain(needs, draft.edition, digest) // another edition claimed some of the articles
  }
}

/** The draft of a composed edition, without articles whose page is gone; undefined if the edition is not composed. */
async function checkedDraft(
  needs: SealNeeds,
  id: string,
  digest: Digest,
  preflight: PreflightState,
): Promise<Draft | undefined> {
  for (;;) {
    const { status } = await requireEdition(needs, id)
    const draft = status === 'composed' ? await draftOf(needs, id, digest) : undefined
    if (!draft || !needs.check || !(await cutGoneArticles(needs, draft, needs.check, preflight))) return draft
    await chooseAgain(needs, draft.edition, digest) // the next candidates are checked too
  }
}

async function requireEdition({ db }: SealNeeds, id: string): Promise<EditionRow> {
  const edition = await editionById(db, id)
  if (!edition) throw new AppError('missing', `there is no edition ${id} to seal`)
  return edition
}

function logSizeWarning({ log }: SealNeeds, { edition, slot }: Draft, { html }: Rendered): void {
  const bytesHtml = htmlBytes({ html, slot })
  const warning = sizeWarning(bytesHtml)
  if (!warning) return
  const event = isTooLarge(bytesHtml) ? 'edition.too_large' : 'edition.clipped'
  log?.info({ event, edition: edition.id, digest: edition.digest, bytesHtml }, warning)
}

const conflictMessages: Record<SealConflict, string> = {
  articles: 'another edition keeps taking what this one was to hold',
  corrections: 'the corrections that this edition was to print keep being withdrawn',
  letters: 'the letters that this edition was to print keep being reworded',
  edits: 'its editors keep changing this edition',
}

/** Checks the pages of articles without an answer and stores the findings. Returns whether a page is gone. */
async function cutGoneArticles(
  { db, clock }: SealNeeds,
  { edition, sections }: Draft,
  check: CheckPage,
  { found, deadline }: PreflightState,
): Promise<boolean> {
  const asInFeed = articlesIn(sections).map((article) => ({ ...article, title: article.feedTitle ?? article.title }))
  const articles = asInFeed.filter(({ id }) => found.get(id)?.answer === undefined)
  const { findings, answers } = await runPreflight(articles, check, deadline)
  for (const { id } of articles) found.set(id, { answer: answers.get(id) })
  for (const { article, ...finding } of findings) found.set(article.id, { finding, answer: answers.get(article.id) })
  const now = clock.now()
  await transaction(db, async (trx) => {
    for (const { article, kind, reason } of findings) {
      if (kind === 'gone') await markPageGone(trx, edition.digest, { articleId: article.id, reason, now })
      if (kind === 'unchecked') continue
      const data = { title: article.title, finding: reason }
      const subjects = { edition: edition.id, article: article.id }
      await addEvent(trx, { kind: 'edition.page_checked', actor: 'system', ...subjects, data }, now)
    }
  })
  return findings.some(({ kind }) => kind === 'gone')
}
