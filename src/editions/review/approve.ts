import { AppError } from '../../errors.ts'
import { editionTask, enqueue } from '../../queue/enqueue.ts'
import { transaction } from '../../store/drivers/transaction.ts'
import { lockEdition, moveEdition } from '../../store/editions/editions.ts'
import { type Actor, type NewEvent, person } from '../../store/events/event.ts'
import { addEvent } from '../../store/events/events.ts'
import { withFurther } from '../../store/events/reason.ts'
import { toJson } from '../../store/json.ts'
import type { EditionRow } from '../../store/schema.ts'
import { editionName } from '../edition.ts'
import {
  ApprovalRefused,
  isSettingObstacle,
  type Obstacle,
  type ObstacleNeeds,
  obstaclesOf,
  settingObstaclesOf,
} from './approval-rules.ts'
import { changeStatus, lockUnchanged, type ReviewNeeds, type RevisionCheck } from './change-status.ts'

type ApprovalNeeds = ReviewNeeds & ObstacleNeeds

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
    if (edition?.status !== 'sealed' || edition.heldBy !== null) return false
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
