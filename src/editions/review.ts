import { describeReason } from '../describe/describe.ts'
import { AppError } from '../errors.ts'
import { editionTask, enqueue } from '../queue/enqueue.ts'
import { retractedIn } from '../store/articles/retractions.ts'
import { expireEditionCorrections, releaseCorrections } from '../store/corrections/corrections.ts'
import { countDeliveries, mayHaveArrived } from '../store/deliveries/counts.ts'
import { skipUnsent } from '../store/deliveries/skip.ts'
import { transaction } from '../store/drivers/transaction.ts'
import { openStatuses } from '../store/edition-status.ts'
import { editionById, lockEdition, moveEdition } from '../store/editions/editions.ts'
import type { Engine } from '../store/engine.ts'
import { type Actor, type NewEvent, person } from '../store/events/event.ts'
import { addEvent } from '../store/events/events.ts'
import { type Reason, withFurther } from '../store/events/reason.ts'
import { toJson } from '../store/json.ts'
import { releaseArticles } from '../store/ledger/ledger.ts'
import { releaseLetters } from '../store/letters/printing.ts'
import { addMails } from '../store/outbox/outbox.ts'
import type { Db, EditionRow } from '../store/schema.ts'
import type { Clock, Instant } from '../time/clock.ts'
import {
  ApprovalRefused,
  isSettingObstacle,
  type Obstacle,
  type ObstacleNeeds,
  obstaclesOf,
  settingObstaclesOf,
} from './approval-rules.ts'
import { editionName } from './edition.ts'
import { checkRevision, type Revision } from './revision.ts'

type Needs = { db: Db; clock: Clock }
type EndNeeds = Needs & { store: { engine: Engine } }
type ApprovalNeeds = Needs & ObstacleNeeds

/** `seen`: the revision that the page showed. It is compared under the lock; EditionChanged if it differs. */
export type RevisionCheck = { seen?: Revision | undefined }

/**
 * Approves a sealed or held edition, records `who` and queues its sending. Throws ApprovalRefused if there are obstacles and `anyway` is
 * false, AppError `conflict` for another status (a paused edition is resumed instead) or if the edition differs from
 * `seen`.
 */
export async function approve(
  needs: ApprovalNeeds,
  id: string,
  who: string,
  { seen, anyway = false }: RevisionCheck & { anyway?: boolean } = {},
): Promise<void> {
  const { db, clock } = needs
  await transaction(db, async (trx) => {
    const edition = await lockUnchanged(trx, id, seen)
    if (edition?.status === 'paused')
      throw new AppError('conflict', `${editionName(edition)} was approved, and is paused: it can be resumed`)
    const mayBe = edition?.status === 'sealed' || edition?.status === 'held'
    const obstacles = edition && mayBe ? await obstaclesOf({ ...needs, db: trx }, edition) : []
    if (edition && obstacles.length > 0 && !anyway) throw new ApprovalRefused(editionName(edition), obstacles)
    const cannot = 'only a sealed or held edition can be approved'
    const change = (now: string) => toApproved(now, obstacles)
    const event: NewEvent = { kind: 'edition.approved', actor: person(who), edition: id, data: { obstacles } }
    await changeStatus({ db: trx, clock }, id, event, { from: ['sealed', 'held'], change, refusal: cannot })
    await enqueue(trx, [editionTask('start-edition', id)], clock.now())
  })
}

/** Locks the edition until the transaction ends. Undefined: there is none. */
async function lockUnchanged(db: Db, id: string, seen: Revision | undefined): Promise<EditionRow | undefined> {
  const edition = await lockEdition(db, id)
  if (edition && seen) await checkRevision(db, edition, seen)
  return edition
}

/**
 * Approves a sealed edition by a rule if there are no obstacles, or with `anyway`; otherwise it stays sealed if one is
 * a setting obstacle, and is held with the reason if none is. Returns whether it was approved; an edition held by an
 * editor stays held.
 */
export async function approveByRule(
  needs: ApprovalNeeds,
  id: string,
  actor: Actor,
  { anyway = false }: { anyway?: boolean } = {},
): Promise<boolean> {
  return await transaction(needs.db, async (trx) => {
    const edition = await lockEdition(trx, id)
    if (edition?.status !== 'sealed') return false
    const now = needs.clock.now()
    const obstacles = await obstaclesOf({ ...needs, db: trx }, edition)
    if (obstacles.length === 0 || anyway) {
      await moveEdition(trx, id, ['sealed'], toApproved(now, obstacles))
      await addEvent(trx, { kind: 'edition.approved', actor, edition: id, data: { obstacles } }, now)
      await enqueue(trx, [editionTask('start-edition', id)], now)
      return true
    }
    if (obstacles.some(isSettingObstacle)) return false
    const [first, ...others] = obstacles
    if (!first) return false
    const reason = withFurther(first, ...others)
    await moveEdition(trx, id, ['sealed'], { status: 'held', reason: toJson(reason) })
    await addEvent(trx, { kind: 'edition.held', actor: 'system', edition: id, data: { reason } }, now)
    return false
  })
}

/** Allows an approved edition to be sent despite setting obstacles, and records that. */
export async function overrideObstacles(needs: ApprovalNeeds, id: string, actor: Actor): Promise<void> {
  await transaction(needs.db, async (trx) => {
    const edition = await lockEdition(trx, id)
    if (!edition || edition.overriddenAt !== null) return
    const obstacles = await settingObstaclesOf({ ...needs, db: trx }, edition)
    const now = needs.clock.now()
    if (obstacles.length === 0 || !(await moveEdition(trx, id, ['approved', 'sending'], { overriddenAt: now }))) return
    await addEvent(trx, { kind: 'edition.obstacles_overridden', actor, edition: id, data: { obstacles } }, now)
  })
}

function toApproved(now: string, obstacles: Obstacle[]): Partial<EditionRow> {
  const overriddenAt = obstacles.length > 0 ? now : null
  return { status: 'approved', approvedAt: now, reason: null, heldBy: null, overriddenAt }
}

/**
 * Holds an edition, or pauses it while it is being sent; without `seen`, because an outdated page may stop an edition
 * too. AppError `conflict` if the edition cannot be stopped.
 */
export async function stop({ db, clock }: Needs, id: string, who: string, words: string): Promise<void> {
  await transaction(db, async (trx) => {
    const edition = await lockEdition(trx, id)
    const action = edition?.status === 'sending' ? pause : hold
    await action({ db: trx, clock }, id, who, words)
  })
}

/** Holds an edition until a person approves it. */
export async function hold(needs: Needs, id: string, who: string, words: string): Promise<void> {
  const reason = byHand(words)
  await changeStatus(needs, id, stopEvent('edition.held', id, who, reason), {
    from: ['sealed', 'approved'],
    change: () => ({ status: 'held', approvedAt: null, reason: toJson(reason), heldBy: who }),
    refusal: 'only an edition that is sealed or approved, and not yet sending, can be held',
  })
}

/** Pauses sending: messages being handed over are finished, no others are started. */
export async function pause(needs: Needs, id: string, who: string, words: string): Promise<void> {
  const reason = byHand(words)
  await changeStatus(needs, id, stopEvent('edition.paused', id, who, reason), {
    from: ['sending'],
    change: () => ({ status: 'paused', reason: toJson(reason) }),
    refusal: 'only an edition that is being sent can be paused',
  })
}

/** The reason is the person's text. */
function byHand(words: string): Reason {
  return { code: 'by-hand', words }
}

function stopEvent(
  kind: 'edition.held' | 'edition.paused' | 'edition.cancelled',
  edition: string,
  who: string,
  reason: Reason,
): NewEvent {
  return { kind, actor: person(who), edition, data: { reason } }
}

/**
 * Pauses an edition by a rule and notifies the editors. Returns false if the edition is not being sent, for example
 * because another process paused it.
 */
export async function pauseByRule({ db, clock }: Needs, id: string, reason: Reason): Promise<boolean> {
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
  { db, clock }: Needs,
  id: string,
  who: string,
  { anyway = false, seen }: { anyway?: boolean } & RevisionCheck = {},
): Promise<void> {
  await transaction(db, async (trx) => {
    const edition = await lockUnchanged(trx, id, seen) // a concurrent retraction waits for this lock, or has finished
    const cannot = 'only an edition that was paused while it was being sent can be resumed'
    if (edition && edition.status !== 'paused')
      throw new AppError('conflict', `${editionName(edition)} is ${edition.status}: ${cannot}`)
    const pulled = await retractedIn(trx, id)
    const titles = pulled.map(({ title }) => `“${title}”`).join(', ')
    if (edition && pulled.length > 0 && !anyway)
      throw new AppError('conflict', `${editionName(edition)} holds ${titles}, which was retracted`, {
        hint: 'Restore the article, cancel the edition, or choose to send it anyway.',
      })
    const data = { retracted: pulled.map(({ title }) => `“${title}”`) }
    const event: NewEvent = { kind: 'edition.resumed', actor: person(who), edition: id, data }
    const change = () => ({ status: 'sending' as const, reason: null })
    await changeStatus({ db: trx, clock }, id, event, { from: ['paused'], change, refusal: cannot })
    await enqueue(trx, [editionTask('start-edition', id)], clock.now())
  })
}

/**
 * Cancels an edition permanently. Queued messages are skipped; its articles, letters and corrections are released
 * unless a message may have arrived.
 */
export async function cancel(
  needs: EndNeeds,
  id: string,
  who: string,
  words: string,
  { seen }: RevisionCheck = {},
): Promise<void> {
  const reason = byHand(words)
  await transaction(needs.db, async (db) => {
    await lockUnchanged(db, id, seen)
    await changeStatus({ db, clock: needs.clock }, id, stopEvent('edition.cancelled', id, who, reason), {
      from: openStatuses,
      change: (now) => ({ status: 'cancelled', finishedAt: now, reason: toJson(reason) }),
      refusal: 'it has ended already',
    })
    await finishCancelled({ ...needs, db }, { id, reason: toJson(reason) })
  })
}

/**
 * Skips the unsent messages of a cancelled edition. If no message was or may have been delivered, its contents are
 * released, and it needs no corrections.
 */
export async function finishCancelled(
  { db, clock, store }: EndNeeds,
  edition: Pick<EditionRow, 'id' | 'reason'>,
): Promise<void> {
  await skipUnsent(
    db,
    store.engine,
    edition.id,
    `the edition was cancelled: ${edition.reason ? describeReason(edition.reason) : ''}`,
    clock.now(),
  )
  if (mayHaveArrived(await countDeliveries(db, edition.id))) return
  await releaseContents(db, edition.id, clock.now())
}

/**
 * Releases the articles, letters and corrections of an edition, so that they can be chosen again. Corrections to the
 * edition itself lapse.
 */
export async function releaseContents(db: Db, editionId: string, now: Instant): Promise<void> {
  await releaseArticles(db, editionId)
  await releaseLetters(db, editionId)
  await releaseCorrections(db, editionId)
  await expireEditionCorrections(db, editionId, now)
}

type StatusChange = {
  from: EditionRow['status'][]
  change: (now: string) => Partial<EditionRow>
  refusal: string
}

async function changeStatus(
  { db, clock }: Needs,
  id: string,
  event: NewEvent,
  { from, change, refusal: cannot }: StatusChange,
): Promise<void> {
  const now = clock.now()
  const moved = await transaction(db, async (trx) => {
    const isMoved = await moveEdition(trx, id, from, change(now))
    if (isMoved) await addEvent(trx, event, now)
    return isMoved
  })
  if (moved) return
  const edition = await editionById(db, id)
  if (!edition)
    throw new AppError('missing', `there is no edition ${id}`, { hint: 'lastword edition list shows them.' })
  throw new AppError('conflict', `${editionName(edition)} is ${edition.status}: ${cannot}`)
}
