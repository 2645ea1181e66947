import { lockDigest } from '../../store/digests/digests.ts'
import { transaction } from '../../store/drivers/transaction.ts'
import { consideredIds, deleteChoices } from '../../store/editions/choices.ts'
import { lockEdition, moveEdition } from '../../store/editions/editions.ts'
import { addEvent } from '../../store/events/events.ts'
import type { EditionRow } from '../../store/schema.ts'
import type { Pending } from '../choice/select.ts'
import { type ThinDecision, thinReason } from '../choice/thin.ts'
import type { Digest } from '../digest.ts'
import { selectEdited } from '../edits/apply-edits.ts'
import { pinnedArticles } from '../edits/edit.ts'
import { editsForChoice } from '../edits/load-edits.ts'
import { reasonWithRule } from '../review/hold-reason.ts'
import { contentsOf, loadPending, recordedReason, skippedEvent, writeChoices } from './choices.ts'
import type { ComposeNeeds } from './draft.ts'

/**
 * `onlyKnown`: chooses only from articles and letters that the edition considered before or that editors pinned, as of
 * its composition time.
 */
export type ChooseAgainOptions = { onlyKnown?: boolean }

/**
 * Chooses the contents of an unsealed edition again, because articles were taken or are gone or an editor changed it.
 * Edits are kept; the edition may become thin, but one that a person holds is never skipped.
 */
export async function chooseAgain(
  { db, clock }: ComposeNeeds,
  edition: Pick<EditionRow, 'id' | 'digest' | 'composedAt'>,
  digest: Digest,
  { onlyKnown = false }: ChooseAgainOptions = {},
): Promise<void> {
  await transaction(db, async (trx) => {
    const now = clock.now()
    await lockDigest(trx, digest.name, now) // a concurrent edit waits for this lock, or has finished
    const edits = await editsForChoice(trx, edition)
    const all = await loadPending(trx, digest, edition.composedAt)
    const known = onlyKnown ? new Set([...(await consideredIds(trx, edition.id)), ...pinnedArticles(edits)]) : undefined
    const pending = known ? onlyWith(all, known) : all
    const choices = selectEdited(pending, digest, onlyKnown ? edition.composedAt : now, edits)
    const thin = await thinReason(trx, digest, choices, now)
    const current = await lockEdition(trx, edition.id) // with a hold of this moment
    if (current?.status !== 'composed') return // another process sealed it
    const change = changeFor(current, thin)
    await moveEdition(trx, edition.id, ['composed'], change)
    await deleteChoices(trx, edition.id)
    await writeChoices(trx, { edition: { ...current, ...change }, digest, choices, now })
    if (onlyKnown && !thin) return // the editor's own event says what changed
    const again = { actor: 'system' as const, edition: edition.id, data: contentsOf(choices, thin) }
    if (thin && change.status === 'skipped') await addEvent(trx, skippedEvent(edition.id, thin.reason), now)
    else await addEvent(trx, { kind: 'edition.recomposed', ...again }, now)
  })
}

/** A skipped edition gives its number to the next one, so that readers see no gap. */
function changeFor(edition: EditionRow, thin: ThinDecision | undefined) {
  const reason = reasonWithRule(edition, recordedReason(thin))
  if (thin?.rule !== 'skip' || edition.heldBy !== null) return { status: 'composed' as const, reason }
  return { status: 'skipped' as const, number: null, reason }
}

function onlyWith({ articles, letters }: Pending, ids: Set<string>): Pending {
  return { articles: articles.filter(({ id }) => ids.has(id)), letters: letters.filter(({ id }) => ids.has(id)) }
}
