import { AppError } from '../errors.ts'
import { type Article, articlesByIds, articlesByUrl } from '../store/articles.ts'
import { canonicalAddress } from '../store/canonical.ts'
import { lockAllDigests } from '../store/digests.ts'
import { lockEdition, moveEdition, note, withdrawVariants } from '../store/editions.ts'
import { addPulls, endPulls, holdersOf, marksOf } from '../store/pulls.ts'
import type { Db, EditionRow } from '../store/schema.ts'
import { transaction } from '../store/transaction.ts'
import { type ComposeNeeds, chooseAgain } from './compose.ts'
import type { Digest } from './digest.ts'
import { editionName } from './edition.ts'
import { giveBackAll } from './review.ts'

type Needs = ComposeNeeds & { digests: Digest[] }

export type Decision = { who: string; reason: string }

/** What became of one edition that held the article. */
export type Consequence = { edition: EditionRow; words: string }

/**
 * Withdraws an article, known by its address, or a reader's letter, by its id, from every digest: it is never chosen again, under whatever guid or feed
 * it comes back. What is being sent with it stops at once; what is not out yet is chosen again without it. Returns what
 * became of the editions that held it. AppError `missing` for an address that no feed has shown, `conflict` for one that is pulled.
 */
export async function pullArticle(needs: Needs, named: string, decision: Decision): Promise<Consequence[]> {
  const [first] = await articlesNamed(needs.db, named)
  if (!first) throw new AppError('missing', `no feed has ever shown ${named}`)
  const now = needs.clock.now()
  return await transaction(needs.db, async (db) => {
    const names = needs.digests.map(({ name }) => name)
    await lockAllDigests(db, names, now) // an edition that is sealed now waits for us, or we see it
    const marks = await marksNamed(db, named)
    const title = first.title || first.url
    if ((await addPulls(db, marks, { url: nameOf(first), title, ...decision }, now)) === 0)
      throw new AppError('conflict', `“${title}” is pulled already`)
    const consequences: Consequence[] = []
    for (const { editionId, headline } of await holdersOf(db, marks)) {
      const edition = await lockEdition(db, editionId)
      const words = edition && (await takeOut({ ...needs, db }, edition, headline || first.url, decision))
      if (words) consequences.push({ edition, words })
    }
    return consequences
  })
}

/** Lets a pulled article be chosen again. Editions that stopped for it stay stopped until somebody resumes them. */
export async function restoreArticle({ db, clock }: Needs, named: string, who: string): Promise<void> {
  const now = clock.now()
  await transaction(db, async (trx) => {
    const marks = await marksNamed(trx, named)
    if ((await endPulls(trx, marks, who, now)) === 0) throw new AppError('conflict', `${named} is not pulled`)
    for (const { editionId, headline } of await holdersOf(trx, marks))
      await note(trx, editionId, who, `restored: “${headline || named}”`, now)
  })
}

/** By what an article is named above: its address, or the id of a letter. AppError `missing` if there is no such article. */
export async function nameOfArticle(db: Db, articleId: string): Promise<string> {
  const [article] = await articlesByIds(db, [articleId])
  if (article) return nameOf(article)
  throw new AppError('missing', 'there is no such article')
}

function nameOf({ id, letter, url }: Article): string {
  return letter ? id : url
}

async function articlesNamed(db: Db, named: string): Promise<Article[]> {
  const letters = (await articlesByIds(db, [named])).filter(({ letter }) => letter)
  return [...(await articlesByUrl(db, named)), ...letters]
}

async function marksNamed(db: Db, named: string): Promise<string[]> {
  const articles = await articlesNamed(db, named)
  const marks = await marksOf(
    db,
    articles.map(({ id }) => id),
  )
  return [...new Set([...marks, ...(URL.canParse(named) ? [canonicalAddress(named)] : [])])]
}

/** What is out stays out; what is going out stops; what is not out yet is chosen again, and its seal is kept as evidence. */
async function takeOut(needs: Needs, edition: EditionRow, title: string, { who, reason }: Decision): Promise<string> {
  const { db, clock } = needs
  const now = clock.now()
  const what = `pulled: “${title}”: ${reason}`
  if (edition.status === 'sent') {
    await note(db, edition.id, who, `${what}; it is out already`, now)
    return `${editionName(edition)} is out with it already`
  }
  if (edition.status === 'sending') {
    const held = `“${title}” was pulled by ${who}: ${reason}`
    await moveEdition(db, edition.id, ['sending'], { status: 'held', reason: held })
    await note(db, edition.id, who, `${what}; the sending has stopped`, now)
    return `${editionName(edition)} has stopped in the middle of its sending`
  }
  if (edition.status === 'held' && edition.approvedAt !== null) {
    await note(db, edition.id, who, `${what}; the edition was paused already`, now)
    return `${editionName(edition)} was paused already, and is not resumed with it`
  }
  return await composeAnew(needs, edition, what, who)
}

async function composeAnew(needs: Needs, edition: EditionRow, what: string, who: string): Promise<string> {
  const { db, clock, digests } = needs
  const now = clock.now()
  const seals = await withdrawVariants(db, edition.id, now)
  await giveBackAll(db, edition.id, now)
  const open = { status: 'composed' as const, sealedAt: null, approvedAt: null }
  await moveEdition(db, edition.id, [edition.status], open)
  const kept = seals.length > 0 ? `; its seal ${seals.join(', ')} is withdrawn, and kept` : ''
  await note(db, edition.id, who, `${what}; the edition is chosen again${kept}`, now)
  const digest = digests.find(({ name }) => name === edition.digest)
  if (digest) await chooseAgain(needs, { ...edition, ...open }, digest)
  const chosen = await lockEdition(db, edition.id)
  if (edition.status === 'held' && chosen?.status === 'composed' && chosen.reason === null)
    await moveEdition(db, edition.id, ['composed'], { reason: edition.reason }) // what somebody holds stays held
  return `${editionName(edition)} is chosen again without it: ${chosen?.reason ?? chosen?.status ?? ''}`
}
