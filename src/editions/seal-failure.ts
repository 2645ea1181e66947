import { AppError } from '../errors.ts'
import { addHistory, historyOf } from '../store/editions/editions.ts'
import type { EditionRow, Schema } from '../store/schema.ts'
import type { SealNeeds } from './seal.ts'

const failurePrefix = 'not sealed: '
const maxMessageLength = 2000

/** Writes into the history of an edition why it could not be sealed, once for each reason in a row. */
export async function recordSealFailure({ db, clock }: SealNeeds, id: string, error: unknown): Promise<void> {
  const message = error instanceof AppError ? error.message : 'an internal error, which the log has with its place'
  const what = `${failurePrefix}${message}`.slice(0, maxMessageLength)
  if (lastAttempt(await historyOf(db, id))?.what !== what) await addHistory(db, id, 'lastword', what, clock.now())
}

/** Why a composed edition is not sealed yet; undefined if nothing has failed since it was composed or chosen. */
export function sealFailure({ status }: Pick<EditionRow, 'status'>, history: Schema['history'][]): string | undefined {
  const { what = '' } = (status === 'composed' && lastAttempt(history)) || {}
  return what.startsWith(failurePrefix) ? what.slice(failurePrefix.length) : undefined
}

function lastAttempt(history: Schema['history'][]) {
  return history.findLast(({ who, what }) => who === 'lastword' && /^(?:not sealed: |sealed )/.test(what))
}
