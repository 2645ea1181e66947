import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { PageCheck } from '../articles/recheck-page.ts'
import { AppError } from '../errors.ts'
import type { Log } from '../log.ts'
import { claimCorrections } from '../store/corrections/corrections.ts'
import { type PrintedTitle, recordPrinted } from '../store/corrections/printed-titles.ts'
import { lockDigest } from '../store/digests/digests.ts'
import { transaction } from '../store/drivers/transaction.ts'
import { addChoiceReason } from '../store/editions/choices.ts'
import { editionById, lockEdition, moveEdition } from '../store/editions/editions.ts'
import { addVariant } from '../store/editions/variants.ts'
import type { NewEvent } from '../store/events/event.ts'
import { addEvent } from '../store/events/events.ts'
import type { Reason } from '../store/events/reason.ts'
import { newId } from '../store/id.ts'
import { toJson } from '../store/json.ts'
import { claimArticles, expirePassedOver } from '../store/ledger/ledger.ts'
import { markPageGone } from '../store/ledger/stories.ts'
import { claimLetters, hasRewordedLetter, recordPrintedHeadline } from '../store/letters/printing.ts'
import type { Db, EditionRow } from '../store/schema.ts'
import { type ComposeNeeds, chooseAgain, draftOf } from './compose.ts'
import { confirmCorrections } from './corrections/confirm.ts'
import type { Digest } from './digest.ts'
import { articlesIn, type Draft, type DraftArticle, lettersIn, type Render, type Rendered } from './edition.ts'
import { ownEdits } from './edits/load-edits.ts'
import { type CheckPage, type Finding, preflightDeadline, runPreflight } from './preflight.ts'
import { renderDraft } from './render-draft.ts'
import { htmlBytes, isTooLarge, sizeProblem, sizeWarning } from './size.ts'
import { compareStories } from './stories/compare.ts'

/** So many times what an edition was to hold may be taken from it in a row. */
const maxAttempts = 10

/** What the late check found of each article that was asked for, and when it has to end. */
type PreflightState = {
  found: Map<string, { finding?: Pick<Finding, 'kind' | 'reason'>; answer?: PageCheck | undefined }>
  deadline: number
  /** What pages said of which corrections are to be printed, by address. */
  correctionAnswers: Map<string, PageCheck>
}

export type SealNeeds = ComposeNeeds & {
  render: Render
  /** Asks for the page of an article once more; without it nothing is asked. */
  check?: CheckPage
  /** Is told of an edition that mail programs will not show whole, at `info`: commands say it in words of their own. */
  log?: Log
}

/**
 * Freezes a composed edition: renders it once, claims its articles and corrections, writes down what it says of each
 * article, and keeps the bytes, in one transaction. From here on preview, test, archive and delivery read these bytes. An
 * edition held for being thin is sealed as well, so that the editor decides about the very thing; one that is too large is
 * held too. Sealing a sealed
 * edition changes nothing.
 */
export async function seal(needs: SealNeeds, id: string, digest: Digest): Promise<EditionRow> {
  const preflight: PreflightState = { found: new Map(), deadline: preflightDeadline(), correctionAnswers: new Map() }
  for (let attempts = 0; attempts < maxAttempts; ) {
    const edition = await editionById(needs.db, id)
    if (!edition) throw new AppError('missing', `there is no edition ${id} to seal`)
    const draft = edition.status === 'composed' && (await draftOf(needs, id, digest))
    if (!draft) return edition
    if (digest.lateCheck && needs.check && (await cutGoneArticles(needs, draft, needs.check, preflight))) {
      await chooseAgain(needs, draft.edition, digest) // the next candidates move up, and are asked for as well
      continue
    }
    const check = digest.lateCheck ? needs.check : undefined
    draft.corrections = await confirmCorrections(
      { ...needs, check },
      id,
      draft.corrections,
      preflight.correctionAnswers,
    )
    const rendered = await renderDraft(needs.render, draft)
    const conflict = await storeSealed(needs, draft, rendered, preflight)
    if (conflict === undefined) {
      logSizeWarning(needs, draft, rendered)
      return (await editionById(needs.db, id)) ?? edition
    }
    if (++attempts === maxAttempts) throw new AppError('conflict', `${digest.name}: ${failureMessages[conflict]}`)
    if (conflict === 'articles') await chooseAgain(needs, draft.edition, digest) // another edition of this digest took some first
  }
  throw new Error('unreachable')
}

function logSizeWarning({ log }: SealNeeds, { edition, slot }: Draft, { html }: Rendered): void {
  const bytesHtml = htmlBytes({ html, slot })
  const warning = sizeWarning(bytesHtml)
  if (!warning) return
  const event = isTooLarge(bytesHtml) ? 'edition.too_large' : 'edition.clipped'
  log?.info({ event, edition: edition.id, digest: edition.digest, bytesHtml }, warning)
}

const failureMessages = {
  articles: 'another edition keeps taking what this one was to hold',
  corrections: 'the corrections that this edition was to print keep being taken back',
  letters: 'the letters that this edition was to print keep being reworded',
  edits: 'its editors keep changing this edition',
}

type TakenContents = keyof typeof failureMessages

/** Asks for what has not been asked for yet, and keeps what was found. Returns whether something is gone. */
async function cutGoneArticles(
  { db, clock }: SealNeeds,
  { edition, sections }: Draft,
  check: CheckPage,
  { found, deadline: end }: PreflightState,
): Promise<boolean> {
  const asInFeed = articlesIn(sections).map((article) => ({ ...article, title: article.feedTitle ?? article.title }))
  const articles = asInFeed.filter(({ id }) => found.get(id)?.answer === undefined)
  const { findings, answers } = await runPreflight(articles, check, end)
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

/** Returns what somebody else took first; undefined: the edition is sealed, by us or meanwhile by another process. */
async function storeSealed(
  { db, clock }: SealNeeds,
  { edition, sections, corrections, slot, edited }: Draft,
  rendered: Rendered,
  { found }: PreflightState,
): Promise<TakenContents | undefined> {
  const [articles, letters] = [articlesIn(sections), lettersIn(sections)]
  const [articleIds, letterIds] = [articles.map(({ id }) => id), letters.map(({ id }) => id)]
  const now = clock.now()
  const { head, subject, preheader, html, text } = rendered
  const parts = { head, subject, html, text, sha256: sealHash(rendered), slot }
  class TakenElsewhere extends Error {
    readonly what: TakenContents
    constructor(what: TakenContents) {
      super()
      this.what = what
    }
  }
  try {
    await db.transaction().execute(async (trx: Db) => {
      await lockDigest(trx, edition.digest, now)
      await compareStories(trx, edition.digest, now) // what came in since it was chosen may show two articles to be one story
      const bytes = htmlBytes({ html, slot })
      const problem = sizeProblem(bytes)
      const reason = edition.reason ?? (isTooLarge(bytes) && problem ? toJson<Reason>(problem) : null)
      const status = reason === null ? 'sealed' : 'held'
      const revision = ((await lockEdition(trx, edition.id))?.revision ?? 0) + 1
      const change = { status, reason, sealedAt: now, subject, preheader, revision } as const
      const sealed = await moveEdition(trx, edition.id, ['composed'], change)
      if (!sealed) return // another process sealed it meanwhile
      const edits = (await ownEdits(trx, edition.id)).map(({ id }) => id)
      if (!isDeepStrictEqual(edits, edited?.editIds ?? [])) throw new TakenElsewhere('edits') // changed while we rendered
      if ((await claimArticles(trx, edition.digest, edition.id, articleIds)) !== articles.length)
        throw new TakenElsewhere('articles')
      if ((await claimLetters(trx, edition.id, letterIds)) !== letters.length) throw new TakenElsewhere('articles')
      if ((await claimCorrections(trx, edition.id, corrections)) !== corrections.length)
        throw new TakenElsewhere('corrections')
      if (await hasRewordedLetter(trx, letters)) throw new TakenElsewhere('letters') // the bytes say what an editor took back
      for (const article of articles) {
        const { finding, answer } = found.get(article.id) ?? {}
        if (finding) await addChoiceReason(trx, edition.id, article.id, finding.reason)
        await recordPrinted(trx, edition.id, article.id, printedOf(article, answer))
      }
      for (const letter of letters) await recordPrintedHeadline(trx, edition.id, letter)
      const variant = { id: newId(now), editionId: edition.id, name: 'all', ...parts, sealedAt: now, withdrawnAt: null }
      await addVariant(trx, variant)
      await expirePassedOver(trx, edition.digest, edition.id, now)
      for (const event of sealEvents(edition.id, articles, found, problem)) await addEvent(trx, event, now)
    })
  } catch (error) {
    if (!(error instanceof TakenElsewhere)) throw error
    return error.what
  }
}

/** What stands in the history of an edition that is sealed. */
function sealEvents(
  edition: string,
  articles: DraftArticle[],
  found: PreflightState['found'],
  problem: ReturnType<typeof sizeProblem>,
): NewEvent[] {
  const unchecked = articles.flatMap(({ id, title }) => {
    const finding = found.get(id)?.finding
    return finding?.kind === 'unchecked' ? [{ code: 'page-finding' as const, title, finding: finding.reason }] : []
  })
  const about = { actor: 'system' as const, edition }
  const events: NewEvent[] = []
  if (unchecked.length > 0) events.push({ kind: 'edition.pages_unchecked', ...about, data: { articles: unchecked } })
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

/** The SHA-256 over headers, subject, HTML and text, each with its length before it, so that no two editions can be confused. */
export function sealHash({ head, subject, html, text }: Pick<Rendered, 'head' | 'subject' | 'html' | 'text'>): string {
  const hash = createHash('sha256')
  for (const part of [head, subject, html, text]) hash.update(`${Buffer.byteLength(part)}\n`).update(part)
  return hash.digest('hex')
}
