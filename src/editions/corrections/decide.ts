import { createHash } from 'node:crypto'
import { describeReason } from '../../describe/describe.ts'
import { AppError } from '../../errors.ts'
import {
  addWithdrawal,
  type CorrectionView,
  correctionById,
  lockCorrection,
  moveCorrection,
} from '../../store/corrections/corrections.ts'
import { transaction } from '../../store/drivers/transaction.ts'
import { type EventValues, person } from '../../store/events/event.ts'
import { addEvent } from '../../store/events/events.ts'
import type { CorrectionStatus, Db, EditionStatus } from '../../store/schema.ts'
import type { Clock } from '../../time/clock.ts'

type Needs = { db: Db; clock: Clock }

export const maxCorrectionLength = 1000

/** `seen`: the revision that the page showed (`correctionRevision`). It is compared under the lock. */
export type SeenCorrection = { seen?: string | undefined }

type CorrectionState = Pick<CorrectionView, 'status' | 'found' | 'words' | 'decidedBy' | 'decidedAt' | 'printedIn'>

/**
 * The revision of a correction, a SHA-256 (hex) over its state, which a form sends back, so that a decision about an
 * outdated state is refused.
 */
export function correctionRevision({ status, found, words, decidedBy, decidedAt, printedIn }: CorrectionState): string {
  const state = JSON.stringify([status, found, words, decidedBy, decidedAt, printedIn])
  return createHash('sha256').update(state).digest('hex')
}

/**
 * Accepts a correction with the editor's words or the suggested ones, for the next edition and the archive. AppError
 * `conflict` if it is decided already or has lapsed, `invalid` for empty or too long words.
 */
export async function acceptCorrection(
  needs: Needs,
  id: string,
  who: string,
  words?: string,
  { seen }: SeenCorrection = {},
): Promise<void> {
  const correction = await loadCorrection(needs, id)
  const text = checkText(words ?? correction.words ?? suggestedText(correction), 'please say what is right')
  await decide(needs, correction, who, {
    to: 'accepted',
    from: undecidedStatuses,
    words: text,
    event: { kind: 'correction.accepted', data: { said: correction.said, words: text } },
    seen,
  })
}

const undecidedStatuses: CorrectionStatus[] = ['proposed', 'doubted']

function checkText(words: string, whenEmpty: string): string {
  const text = words.replace(/\s+/g, ' ').trim()
  if (text === '') throw new AppError('invalid', whenEmpty, { hint: 'Readers get these words.' })
  if (text.length > maxCorrectionLength)
    throw new AppError(
      'invalid',
      `${text.length} characters are too many: a correction has at most ${maxCorrectionLength}`,
    )
  return text
}

/** Dismisses a correction: it is never printed, and the same change is not proposed again. */
export async function dismissCorrection(
  needs: Needs,
  id: string,
  who: string,
  { seen }: SeenCorrection = {},
): Promise<void> {
  const correction = await loadCorrection(needs, id)
  await decide(needs, correction, who, {
    to: 'dismissed',
    from: undecidedStatuses,
    event: { kind: 'correction.dismissed', data: { said: correction.said } },
    seen,
  })
}

/** Reopens an accepted or dismissed correction that no edition contains: it is proposed again. */
export async function reopenCorrection(
  needs: Needs,
  id: string,
  who: string,
  { seen }: SeenCorrection = {},
): Promise<void> {
  const from: CorrectionStatus[] = ['accepted', 'dismissed']
  const correction = await loadCorrection(needs, id)
  await decide(needs, correction, who, {
    to: 'proposed',
    from,
    event: { kind: 'correction.reopened', data: { said: correction.said } },
    seen,
  })
}

/**
 * Withdraws a wrong correction; the archive shows when and why, and the next edition corrects a printed one. AppError
 * `conflict` if it is not accepted, is withdrawn already, or is in an edition that can still be cancelled.
 */
export async function withdrawCorrection(
  needs: Needs,
  id: string,
  who: string,
  reason: string,
  { seen }: SeenCorrection = {},
): Promise<void> {
  const { db, clock } = needs
  const text = checkText(reason, 'please say why it is withdrawn')
  const correction = await loadCorrection(needs, id)
  const withdrawn: CorrectionEvent = { kind: 'correction.withdrawn', data: { said: correction.said, words: text } }
  if (correction.printedIn === null) {
    const columns = { withdrawnAt: clock.now(), withdrawnBy: who, withdrawnReason: text }
    const from: CorrectionStatus[] = ['accepted', 'doubted']
    return await decide(needs, correction, who, {
      to: 'withdrawn',
      from,
      withdrawn: columns,
      event: withdrawn,
      seen,
    })
  }
  if (!isPublished(correction)) throw conflictError(correction, 'withdrawn')
  const now = clock.now()
  await transaction(db, async (trx) => {
    const words = `An earlier correction, “${correction.words}”, does not hold: ${text}`
    if (!(await addWithdrawal(trx, correction, { who, reason: text, words }, now)))
      throw new AppError('conflict', `the correction of “${correction.said}” is withdrawn already`)
    await addEvent(trx, { ...withdrawn, ...subjects(correction, who) }, now)
  })
}

const publishedStatuses: EditionStatus[] = ['approved', 'sending', 'sent']

/** Whether the correction is in an edition that is approved, being sent or sent. */
export function isPublished({ printedStatus }: Pick<CorrectionView, 'printedStatus'>): boolean {
  return printedStatus !== null && publishedStatuses.includes(printedStatus)
}

/** The text for readers if the editor writes no other. */
export function suggestedText({ kind, found }: Pick<CorrectionView, 'kind' | 'found'>): string {
  if (kind === 'headline') return `The headline now reads: “${found}”`
  if (kind === 'note') return found
  return 'This article has been taken down since.'
}

/** The state of a correction for a person, such as `accepted by Mira, printed in edition 12`. */
export function statusText(correction: CorrectionView): string {
  const { status, decidedBy, printedNumber, printedStatus, lapsedAt, undoneAt, undoneWhy } = correction
  const { withdrawnAt, withdrawnBy, withdrawnReason } = correction
  if (status === 'proposed') return 'proposed, and waits for an editor'
  if (status === 'doubted')
    return `accepted by ${decidedBy}, but now in doubt: ${undoneWhy && describeReason(undoneWhy)} since ${undoneAt}; it waits for an editor`
  if (status === 'withdrawn') return `withdrawn by ${withdrawnBy} on ${withdrawnAt}: ${withdrawnReason}`
  if (status === 'lapsed') return `no longer needed, since ${lapsedAt}`
  if (status === 'dismissed') return `dismissed by ${decidedBy}`
  const where =
    printedNumber === null ? 'for the next edition' : `printed in edition ${printedNumber} (${printedStatus})`
  return `accepted by ${decidedBy}, ${where}`
}

async function loadCorrection({ db }: Needs, id: string): Promise<CorrectionView> {
  const correction = await correctionById(db, id)
  if (correction) return correction
  throw new AppError('missing', `there is no correction ${id}`, { hint: 'lastword corrections list shows them.' })
}

type WithdrawalFields = { withdrawnAt: string; withdrawnBy: string; withdrawnReason: string }
type Decision = SeenCorrection & {
  to: CorrectionStatus
  from: CorrectionStatus[]
  words?: string
  withdrawn?: WithdrawalFields | undefined
  event: CorrectionEvent
}

type CorrectionKind = 'correction.accepted' | 'correction.dismissed' | 'correction.reopened' | 'correction.withdrawn'
type CorrectionEvent = { [Kind in CorrectionKind]: { kind: Kind; data: EventValues[Kind] } }[CorrectionKind]

/** The subjects of the event: the person, the edition and the article. */
function subjects({ editionId, articleId }: Pick<CorrectionView, 'editionId' | 'articleId'>, who: string) {
  return { actor: person(who), edition: editionId, article: articleId }
}

async function decide(
  { db, clock }: Needs,
  correction: CorrectionView,
  who: string,
  { to, from, words, withdrawn, event, seen }: Decision,
): Promise<void> {
  const { id } = correction
  const now = clock.now()
  await transaction(db, async (trx) => {
    const decidedAt = to === 'proposed' ? null : to === 'withdrawn' ? undefined : now // the archive note keeps its date
    const decision = decidedAt === undefined ? {} : { decidedAt, decidedBy: decidedAt && who }
    if (seen !== undefined) await checkRevision(trx, id, from, seen)
    const change = { status: to, ...decision, ...withdrawn, ...(words === undefined ? {} : { words }) }
    if (await moveCorrection(trx, id, from, change))
      return await addEvent(trx, { ...event, ...subjects(correction, who) }, now)
    throw conflictError(await loadCorrection({ db: trx, clock }, id), statusVerbs[to])
  })
}

/** AppError `conflict` if the correction differs from `seen`. A status outside `from` passes: the caller refuses it. */
async function checkRevision(db: Db, id: string, from: CorrectionStatus[], seen: string): Promise<void> {
  await lockCorrection(db, id)
  const correction = await correctionById(db, id)
  if (!correction || !from.includes(correction.status) || correctionRevision(correction) === seen) return
  const message = `the correction of “${correction.said}” has changed since you looked at it: it is ${statusText(correction)}`
  throw new AppError('conflict', message, { hint: 'It is below as it is now: please decide again.' })
}

function conflictError(correction: CorrectionView, verb: string): AppError {
  const message = `the correction of “${correction.said}” is ${statusText(correction)}: it cannot be ${verb}`
  if (correction.printedIn === null) return new AppError('conflict', message)
  const hint = isPublished(correction)
    ? 'Withdraw it, with the reason: the archive says so, and the next edition corrects it.'
    : 'Cancelling that edition gives it back.'
  return new AppError('conflict', message, { hint })
}

const statusVerbs: Record<CorrectionStatus, string> = {
  accepted: 'accepted',
  doubted: 'doubted',
  dismissed: 'dismissed',
  withdrawn: 'withdrawn',
  proposed: 'taken back',
  lapsed: 'changed',
}
