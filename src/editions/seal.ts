import { AppError } from '../errors.ts'
import type { Log } from '../log.ts'
import { transaction } from '../store/drivers/transaction.ts'
import { editionById } from '../store/editions/editions.ts'
import { addEvent } from '../store/events/events.ts'
import { markPageGone } from '../store/ledger/stories.ts'
import type { EditionRow } from '../store/schema.ts'
import { type ComposeNeeds, chooseAgain, draftOf } from './compose.ts'
import { confirmCorrections } from './corrections/confirm.ts'
import type { Digest } from './digest.ts'
import { articlesIn, type Draft, type Render, type Rendered } from './edition.ts'
import { type CheckPage, type PreflightState, preflightDeadline, runPreflight } from './preflight.ts'
import { renderDraft } from './render-draft.ts'
import { htmlBytes, isTooLarge, sizeWarning } from './size.ts'
import { type SealConflict, storeSealed } from './store-sealed.ts'

/** Conflicts in a row after which sealing fails. */
const maxAttempts = 10

export type SealNeeds = ComposeNeeds & {
  render: Render
  /** Asks for the page of an article once more; without it nothing is asked. */
  check?: CheckPage | undefined
  /** Is told of an edition that mail programs will not show whole, at `info`: commands say it in words of their own. */
  log?: Log
}

/**
 * Freezes a composed edition: renders it once, claims its articles and corrections, writes down what it says of each
 * article, and keeps the bytes, in one transaction. From here on preview, test, archive and delivery read these bytes. An
 * edition held for being thin is sealed as well, so that the editor sees what it holds; one that is too large is held too.
 * Sealing a sealed edition changes nothing.
 */
export async function seal(needs: SealNeeds, id: string, digest: Digest): Promise<EditionRow> {
  const preflight: PreflightState = { found: new Map(), deadline: preflightDeadline(), correctionAnswers: new Map() }
  const checking = { ...needs, check: digest.lateCheck ? needs.check : undefined }
  for (let attempt = 1; ; attempt++) {
    const draft = await checkedDraft(checking, id, digest, preflight)
    if (!draft) return await requireEdition(needs, id)
    const corrections = await confirmCorrections(checking, id, draft.corrections, preflight.correctionAnswers)
    const confirmed = { ...draft, corrections }
    const rendered = await renderDraft(needs.render, confirmed)
    const conflict = await storeSealed(needs, confirmed, rendered, preflight.found)
    if (conflict === undefined) {
      logSizeWarning(needs, confirmed, rendered)
      return await requireEdition(needs, id)
    }
    if (attempt === maxAttempts) throw new AppError('conflict', `${digest.name}: ${conflictMessages[conflict]}`)
    if (conflict === 'articles') await chooseAgain(needs, draft.edition, digest) // another edition of this digest took some first
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
    await chooseAgain(needs, draft.edition, digest) // the next candidates move up, and are asked for as well
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
  corrections: 'the corrections that this edition was to print keep being taken back',
  letters: 'the letters that this edition was to print keep being reworded',
  edits: 'its editors keep changing this edition',
}

/** Asks for what has not been asked for yet, and keeps what was found. Returns whether something is gone. */
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
