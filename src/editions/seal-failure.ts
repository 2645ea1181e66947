import { AppError } from '../errors.ts'
import { historyOf, note } from '../store/editions.ts'
import type { EditionRow, Schema } from '../store/schema.ts'
import type { SealNeeds } from './seal.ts'

const mark = 'not sealed: '
const maxLength = 2000

/** Writes into the history of an edition why it could not be sealed, once for each reason in a row. */
export async function noteSealFailure({ db, clock }: SealNeeds, id: string, error: unknown): Promise<void> {
  const message = error instanceof AppError ? error.message : 'an internal error, which the log has with its place'
  const what = `${mark}${message}`.slice(0, maxLength)
  if (lastAttempt(await historyOf(db, id))?.what !== what) await note(db, id, 'lastword', what, clock.now())
}

/** Why a composed edition is not sealed yet; undefined if nothing has failed since it was composed or chosen. */
export function sealFailure({ status }: Pick<EditionRow, 'status'>, history: Schema['history'][]): string | undefined {
  const { what = '' } = (status === 'composed' && lastAttempt(history)) || {}
  return what.startsWith(mark) ? what.slice(mark.length) : undefined
}

function lastAttempt(history: Schema['history'][]) {
  return history.findLast(({ who, what }) => who === 'lastword' && /^(?:not sealed: |sealed )/.test(what))
}
