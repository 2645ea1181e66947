import { AppError } from '../../errors.ts'
import { transaction } from '../../store/drivers/transaction.ts'
import { editionById, lockEdition, moveEdition } from '../../store/editions/editions.ts'
import { type NewEvent, person } from '../../store/events/event.ts'
import { addEvent } from '../../store/events/events.ts'
import type { Reason } from '../../store/events/reason.ts'
import type { Db, EditionRow } from '../../store/schema.ts'
import type { Clock } from '../../time/clock.ts'
import { editionName } from '../edition.ts'
import { checkRevision, type Revision } from './revision.ts'

export type ReviewNeeds = { db: Db; clock: Clock }

/** `seen`: the revision that the page showed. It is compared under the lock; EditionChanged if it differs. */
export type RevisionCheck = { seen?: Revision | undefined }

/** Locks the edition until the transaction ends. Undefined: there is none. */
export async function lockUnchanged(db: Db, id: string, seen: Revision | undefined): Promise<EditionRow | undefined> {
  const edition = await lockEdition(db, id)
  if (edition && seen) await checkRevision(db, edition, seen)
  return edition
}

/** The reason is the person's text. */
export function byHand(words: string): Reason {
  return { code: 'by-hand', words }
}

export function stopEvent(
  kind: 'edition.held' | 'edition.paused' | 'edition.cancelled',
  edition: string,
  who: string,
  reason: Reason,
): NewEvent {
  return { kind, actor: person(who), edition, data: { reason } }
}

type StatusChange = {
  from: EditionRow['status'][]
  change: (now: string) => Partial<EditionRow>
  refusal: string
}

/** Changes the status and records the event in one transaction. AppError `missing`, or `conflict` with `refusal`. */
export async function changeStatus(
  { db, clock }: ReviewNeeds,
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
