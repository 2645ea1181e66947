import { expireEditionCorrections, releaseCorrections } from '../../store/corrections/corrections.ts'
import { countDeliveries, mayHaveArrived } from '../../store/deliveries/counts.ts'
import { skipUnsent } from '../../store/deliveries/skip.ts'
import { transaction } from '../../store/drivers/transaction.ts'
import { openStatuses } from '../../store/edition-status.ts'
import type { Engine } from '../../store/engine.ts'
import type { Reason } from '../../store/events/reason.ts'
import { fromJson, toJson } from '../../store/json.ts'
import { releaseArticles } from '../../store/ledger/ledger.ts'
import { releaseLetters } from '../../store/letters/printing.ts'
import type { Db, EditionRow } from '../../store/schema.ts'
import type { Instant } from '../../time/clock.ts'
import {
  byHand,
  changeStatus,
  lockUnchanged,
  type ReviewNeeds,
  type RevisionCheck,
  stopEvent,
} from './change-status.ts'

type EndNeeds = ReviewNeeds & { store: { engine: Engine } }

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
  const reason: Reason = { code: 'edition-cancelled', reason: edition.reason && fromJson(edition.reason) }
  await skipUnsent(db, store.engine, edition.id, reason, clock.now())
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
