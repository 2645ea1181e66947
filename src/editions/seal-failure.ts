import { AppError } from '../errors.ts'
import type { NewEvent, PastEvent, PastEventOf } from '../store/events/event.ts'
import { addEvent, editionEvents } from '../store/events/events.ts'
import type { Reason } from '../store/events/reason.ts'
import { toJson } from '../store/json.ts'
import type { EditionRow } from '../store/schema.ts'
import type { SealNeeds } from './seal.ts'

const maxMessageLength = 2000

/** Records in the history why an edition could not be sealed; the same reason is not repeated in a row. */
export async function recordSealFailure({ db, clock }: SealNeeds, id: string, error: unknown): Promise<void> {
  const reason: Reason =
    error instanceof AppError
      ? { code: 'error', message: error.message.slice(0, maxMessageLength) }
      : { code: 'internal-error' }
  const last = lastAttempt(await editionEvents(db, id))
  if (last?.kind === 'edition.seal_failed' && toJson(last.data.reason) === toJson(reason)) return
  const event: NewEvent = { kind: 'edition.seal_failed', actor: 'system', edition: id, data: { reason } }
  await addEvent(db, event, clock.now())
}

/** The reason why a composed edition is not sealed; undefined unless its last attempt failed. */
export function sealFailure({ status }: Pick<EditionRow, 'status'>, history: PastEvent[]): Reason | undefined {
  const last = status === 'composed' ? lastAttempt(history) : undefined
  return last?.kind === 'edition.seal_failed' ? last.data.reason : undefined
}

type Attempt = PastEventOf<'edition.sealed'> | PastEventOf<'edition.seal_failed'>

function lastAttempt(history: PastEvent[]): Attempt | undefined {
  return history.findLast((event) => event.kind === 'edition.sealed' || event.kind === 'edition.seal_failed')
}
