import { AppError } from '../../errors.ts'
import { articlesByIds } from '../../store/articles/articles.ts'
import { lockDigest } from '../../store/digests/digests.ts'
import { transaction } from '../../store/drivers/transaction.ts'
import { chosenOf } from '../../store/editions/choices.ts'
import { editionById } from '../../store/editions/editions.ts'
import { type Actor, person } from '../../store/events/event.ts'
import { addEvent } from '../../store/events/events.ts'
import type { Reason } from '../../store/events/reason.ts'
import { markNotDuplicate, possibleDuplicatesOf } from '../../store/ledger/possible-duplicates.ts'
import type { Db, EditionRow } from '../../store/schema.ts'
import type { Clock } from '../../time/clock.ts'

/**
 * For each article of the edition that may repeat another article of this or another edition: the reason, by article id.
 * Articles that may repeat something that nobody gets are left out.
 */
export async function possibleDuplicatesIn(db: Db, edition: EditionRow): Promise<Map<string, Reason>> {
  const chosen = new Set((await chosenOf(db, edition.id)).map(({ itemId }) => itemId))
  const rows = await possibleDuplicatesOf(db, edition.digest, [...chosen])
  const shown = rows.filter(({ otherId, editionId }) => chosen.has(otherId) || editionId !== null)
  return new Map(shown.map((row) => [row.articleId, possibleDuplicateReason(row, edition.id)]))
}

type PossibleDuplicate = Awaited<ReturnType<typeof possibleDuplicatesOf>>[number]

/** `hereId`: the edition in which it is shown, which is not named. */
export function possibleDuplicateReason(other: PossibleDuplicate, hereId?: string): Reason {
  const { title, source, feedUrl, editionId, number, dueAt } = other
  const isElsewhere = editionId !== null && editionId !== hereId
  const where: Reason | null = isElsewhere ? { code: 'copy-in-edition', number, dueAt } : null
  return { code: 'possible-duplicate', title, source: source || feedUrl, where }
}

/**
 * Records that an editor finds an article of the edition to be no duplicate; the two are never joined into one story.
 * Throws AppError `missing` or `conflict`.
 */
export async function denyDuplicate(
  { db, clock }: { db: Db; clock: Clock },
  editionId: string,
  articleId: string,
  who: string,
): Promise<void> {
  await transaction(db, async (trx) => {
    const now = clock.now()
    const edition = await editionById(trx, editionId)
    if (!edition) throw new AppError('missing', `there is no edition ${editionId}`)
    await lockDigest(trx, edition.digest, now)
    const [article] = await articlesByIds(trx, [articleId])
    if (!article) throw new AppError('missing', 'there is no such article')
    const [other] = await possibleDuplicatesOf(trx, edition.digest, [articleId])
    if (!other) throw new AppError('conflict', `“${article.title}” is not marked as a possible duplicate`)
    await markNotDuplicate(trx, edition.digest, articleId)
    const data = { title: article.title, other: other.title }
    const actor: Actor = person(who)
    await addEvent(trx, { kind: 'edition.not_duplicate', actor, edition: editionId, article: articleId, data }, now)
  })
}
