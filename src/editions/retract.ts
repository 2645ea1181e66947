import { describeReason } from '../describe/describe.ts'
import { AppError } from '../errors.ts'
import { articlesByIds, articlesByUrl } from '../store/articles/articles.ts'
import { canonicalAddress } from '../store/articles/canonical-address.ts'
import { addRetractions, affectedEditions, endRetractions, retractionMarks } from '../store/articles/retractions.ts'
import { lockAllDigests } from '../store/digests/digests.ts'
import { transaction } from '../store/drivers/transaction.ts'
import { lockEdition, moveEdition } from '../store/editions/editions.ts'
import { type EventValues, type NewEvent, person } from '../store/events/event.ts'
import { addEvent } from '../store/events/events.ts'
import type { Reason } from '../store/events/reason.ts'
import { toJson } from '../store/json.ts'
import { letterById } from '../store/letters/letters.ts'
import type { Db, EditionRow } from '../store/schema.ts'
import type { ComposeNeeds } from './compose/draft.ts'
import type { Digest } from './digest.ts'
import { editionName } from './edition.ts'
import { chooseReopened, reopen } from './edits/reopen.ts'

type Needs = ComposeNeeds & { digests: Digest[] }

export type Retraction = { who: string; reason: string }

/** What happened to an edition that contains the article. */
export type RetractionEffect = { edition: EditionRow; message: string }

/**
 * Retracts an article (by URL) or a letter (by id) from every digest, also under another guid or feed: editions being
 * sent with it are paused, unsent ones are chosen again without it. Throws AppError `missing` for an unknown reference,
 * `conflict` if it is retracted already.
 */
export async function retractArticle(
  needs: Needs,
  reference: string,
  decision: Retraction,
): Promise<RetractionEffect[]> {
  const [first] = await findItems(needs.db, reference)
  if (!first) throw new AppError('missing', `no article has the address ${reference}, and no letter has it as its id`)
  const now = needs.clock.now()
  return await transaction(needs.db, async (db) => {
    const names = needs.digests.map(({ name }) => name)
    await lockAllDigests(db, names, now) // a concurrent seal waits for this lock, or has finished
    const marks = await findMarks(db, reference)
    const title = first.title || first.reference
    if ((await addRetractions(db, marks, { url: first.reference, title, ...decision }, now)) === 0)
      throw new AppError('conflict', `“${title}” is already retracted`)
    const consequences: RetractionEffect[] = []
    for (const { editionId, headline } of await affectedEditions(db, marks)) {
      const edition = await lockEdition(db, editionId)
      const words =
        edition &&
        (await removeFromEdition({ ...needs, db }, edition, {
          ...decision,
          id: first.id,
          title: headline || first.reference,
        }))
      if (words) consequences.push({ edition, message: words })
    }
    return consequences
  })
}

/**
 * Allows a retracted article to be chosen again. Editions that were paused for it stay paused until an editor resumes
 * them.
 */
export async function restoreArticle({ db, clock }: Needs, reference: string, who: string): Promise<void> {
  const now = clock.now()
  await transaction(db, async (trx) => {
    const marks = await findMarks(trx, reference)
    if ((await endRetractions(trx, marks, who, now)) === 0)
      throw new AppError('conflict', `${reference} is not retracted`)
    for (const { editionId, headline } of await affectedEditions(trx, marks))
      await addEvent(
        trx,
        {
          kind: 'edition.article_restored',
          actor: person(who),
          edition: editionId,
          data: { title: headline || reference },
        },
        now,
      )
  })
}

/** The URL of an article, or the id of a letter. AppError `missing` if the id is unknown. */
export async function itemReference(db: Db, id: string): Promise<string> {
  const [article] = await articlesByIds(db, [id])
  if (article) return article.url
  if (await letterById(db, id)) return id
  throw new AppError('missing', 'there is no such article')
}

type RetractableItem = { id: string; title: string; reference: string }

async function findItems(db: Db, reference: string): Promise<RetractableItem[]> {
  const articles = await articlesByUrl(db, reference)
  const letter = await letterById(db, reference)
  return [
    ...articles.map(({ id, title, url }) => ({ id, title, reference: url })),
    ...(letter ? [{ id: letter.id, title: letter.headline, reference: letter.id }] : []),
  ]
}

async function findMarks(db: Db, reference: string): Promise<string[]> {
  const ids = (await findItems(db, reference)).map(({ id }) => id)
  const addresses = URL.canParse(reference) ? [canonicalAddress(reference)] : []
  return [...new Set([...(await retractionMarks(db, ids)), ...addresses])]
}

/**
 * Applies the retraction: a sent edition stays as sent, an edition being sent is paused, an unsent edition is chosen
 * again. Old seals are kept as evidence.
 */
async function removeFromEdition(needs: Needs, edition: EditionRow, article: RetractedArticle): Promise<string> {
  const { db, clock } = needs
  const now = clock.now()
  if (edition.status === 'sent') {
    await addEvent(db, retractionEvent(edition, article, 'sent'), now)
    return `${editionName(edition)} was sent with it already`
  }
  if (edition.status === 'sending') {
    const { title, who, reason: words } = article
    const reason = toJson<Reason>({ code: 'article-retracted', title, who, words })
    await moveEdition(db, edition.id, ['sending'], { status: 'paused', reason })
    await addEvent(db, retractionEvent(edition, article, 'stopped'), now)
    return `${editionName(edition)} is paused in the middle of its sending`
  }
  if (edition.status === 'paused') {
    await addEvent(db, retractionEvent(edition, article, 'paused'), now)
    return `${editionName(edition)} was already paused, and is not resumed with it`
  }
  return await recompose(needs, edition, article)
}

/** `title`: the headline in the edition. */
type RetractedArticle = Retraction & { id: string; title: string }

function retractionEvent(
  { id }: EditionRow,
  { id: article, title, who, reason }: RetractedArticle,
  effect: EventValues['edition.article_retracted']['effect'],
  seals: string[] = [],
): NewEvent {
  const data = { title, words: reason, effect, seals }
  return { kind: 'edition.article_retracted', actor: person(who), edition: id, article, data }
}

async function recompose(needs: Needs, edition: EditionRow, article: RetractedArticle): Promise<string> {
  const { db, clock, digests } = needs
  const seals = await reopen(needs, edition)
  await addEvent(db, retractionEvent(edition, article, 'recomposed', seals), clock.now())
  const digest = digests.find(({ name }) => name === edition.digest)
  const chosen = digest ? await chooseReopened(needs, edition, digest) : await lockEdition(db, edition.id)
  const outcome = chosen?.reason ? describeReason(chosen.reason) : chosen?.status
  return `${editionName(edition)} is chosen again without it: ${outcome ?? ''}`
}
