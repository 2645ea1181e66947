import { AppError } from '../../errors.ts'
import { editionTask, enqueue } from '../../queue/enqueue.ts'
import { retractedIn } from '../../store/articles/retractions.ts'
import { transaction } from '../../store/drivers/transaction.ts'
import { lockEdition, moveEdition } from '../../store/editions/editions.ts'
import { type NewEvent, person } from '../../store/events/event.ts'
import { addEvent } from '../../store/events/events.ts'
import type { Reason } from '../../store/events/reason.ts'
import { toJson } from '../../store/json.ts'
import { addMails } from '../../store/outbox/outbox.ts'
import { editionName } from '../edition.ts'
import {
  byHand,
  changeStatus,
  lockUnchanged,
  type ReviewNeeds,
  type RevisionCheck,
  stopEvent,
} from './change-status.ts'

/**
 * Holds an edition, or pauses it while it is being sent; without `seen`, because an outdated page may stop an edition
 * too. AppError `conflict` if the edition cannot be stopped.
 */
export async function stop({ db, clock }: ReviewNeeds, id: string, who: string, words: string): Promise<void> {
  await transaction(db, async (trx) => {
    const edition = await lockEdition(trx, id)
    const action = edition?.status === 'sending' ? pause : hold
    await action({ db: trx, clock }, id, who, words)
  })
}

/** Holds an edition until a person approves it. A composed edition becomes held at its seal. */
export async function hold({ db, clock }: ReviewNeeds, id: string, who: string, words: string): Promise<void> {
  const reason = byHand(words)
  await transaction(db, async (trx) => {
    const edition = await lockEdition(trx, id)
    const status = edition?.status === 'composed' ? 'composed' : 'held'
    await changeStatus({ db: trx, clock }, id, stopEvent('edition.held', id, who, reason), {
      from: ['composed', 'sealed', 'approved'],
      change: () => ({ status, approvedAt: null, reason: toJson(reason), heldBy: who }),
      refusal: 'only an edition that is composed, sealed or approved can be held',
    })
  })
}

/** Pauses sending: messages being handed over are finished, no others are started. */
export async function pause(needs: ReviewNeeds, id: string, who: string, words: string): Promise<void> {
  const reason = byHand(words)
  await changeStatus(needs, id, stopEvent('edition.paused', id, who, reason), {
    from: ['sending'],
    change: () => ({ status: 'paused', reason: toJson(reason) }),
    refusal: 'only an edition that is being sent can be paused',
  })
}

/**
 * Pauses an edition by a rule and notifies the editors. Returns false if the edition is not being sent, for example
 * because another process paused it.
 */
export async function pauseByRule({ db, clock }: ReviewNeeds, id: string, reason: Reason): Promise<boolean> {
  return await transaction(db, async (trx) => {
    const now = clock.now()
    if (!(await moveEdition(trx, id, ['sending'], { status: 'paused', reason: toJson(reason) }))) return false
    await addEvent(trx, { kind: 'edition.paused', actor: 'system', edition: id, data: { reason } }, now)
    await addMails(trx, [{ kind: 'edition-paused', about: [id, now], facts: { edition: id, at: now, reason } }], now)
    return true
  })
}

/**
 * Resumes a paused edition. AppError `conflict` if it contains a retracted article and `anyway` is false; the override
 * is recorded.
 */
export async function resume(
  { db, clock }: ReviewNeeds,
  id: string,
  who: string,
  { anyway = false, seen }: { anyway?: boolean } & RevisionCheck = {},
): Promise<void> {
  await transaction(db, async (trx) => {
    const edition = await lockUnchanged(trx, id, seen) // a concurrent retraction waits for this lock, or has finished
    const retracted = edition?.status === 'paused' ? await retractedIn(trx, id) : []
    const titles = retracted.map(({ title }) => `“${title}”`)
    if (edition && titles.length > 0 && !anyway)
      throw new AppError('conflict', `${editionName(edition)} holds ${titles.join(', ')}, which was retracted`, {
        hint: 'Restore the article, cancel the edition, or choose to send it anyway.',
      })
    const data = { retracted: titles }
    const event: NewEvent = { kind: 'edition.resumed', actor: person(who), edition: id, data }
    await changeStatus({ db: trx, clock }, id, event, {
      from: ['paused'],
      change: () => ({ status: 'sending', reason: null }),
      refusal: 'only an edition that was paused while it was being sent can be resumed',
    })
    await enqueue(trx, [editionTask('start-edition', id)], clock.now())
  })
}
