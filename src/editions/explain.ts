import { type Article, articlesByIds, articlesByUrl, toldBy } from '../store/articles.ts'
import { type CorrectionView, correctionsOfArticle } from '../store/corrections.ts'
import { articlesTitled } from '../store/earlier-addresses.ts'
import { choicesAbout } from '../store/editions.ts'
import { ledgerOf } from '../store/ledger.ts'
import { pulledStories, pullsOf } from '../store/pulls.ts'
import type { Db, PullRow } from '../store/schema.ts'
import { tellersOf } from '../store/stories.ts'
import { sameStory } from './copies.ts'
import { standing } from './corrections.ts'
import { type Digest, feedsListed } from './digest.ts'

export type Explanation = {
  digest: string
  edition: number | null
  status: string | null
  answer: string
  /** How each correction of what was said of it stands. */
  corrections: string[]
}

/**
 * Says of an article (by an address that it has or had, its guid or its title) or of a reader's letter (by its id) in which edition of each digest it is, or why in
 * none. Empty: no feed has ever shown such an article, and no letter has that id.
 */
export async function explain(db: Db, digests: Digest[], what: string): Promise<Explanation[]> {
  const answers: Explanation[] = []
  const articles = await articlesKnownBy(db, what)
  const pulls = await pullsOf(
    db,
    articles.map(({ id }) => id),
  )
  for (const article of articles) {
    const pulled = pulledText(pulls.get(article.id))
    const entries = await ledgerOf(db, article.id)
    const looks = await choicesAbout(db, article.id)
    const corrections = await correctionsOfArticle(db, article.id)
    for (const entry of entries) {
      const last =
        looks.find(({ editionId }) => editionId === entry.lapsedIn) ??
        looks.find(({ digest }) => digest === entry.digest)
      const told = await toldText(db, entry)
      answers.push({
        digest: entry.digest,
        edition: entry.number,
        status: entry.status,
        answer: withPull(answerOf(entry, { last, told }), entry, pulled),
        corrections: corrections.filter(({ digest }) => digest === entry.digest).map(correctionText),
      })
    }
    for (const digest of article.letter ? [] : digests) {
      if (entries.some((entry) => entry.digest === digest.name)) continue
      const answer = feedsListed(digest).includes(article.feedUrl)
        ? (pulled && `in none: ${pulled}`) ||
          `pending: seen on ${article.seenAt}, and no edition has been composed since`
        : `in none: the feed ${article.feedUrl} is in no section of ${digest.name}`
      answers.push({ digest: digest.name, edition: null, status: null, answer, corrections: [] })
    }
  }
  return answers
}

function pulledText(pull: PullRow | undefined): string {
  return pull ? `pulled on ${pull.at} by ${pull.who}: ${pull.reason}; no edition chooses it` : ''
}

/** What was pulled stays where it was read; else that is all there is to say. */
function withPull(answer: string, { editionId }: Entry, pulled: string): string {
  if (pulled === '') return answer
  return editionId === null ? `in none: ${pulled}` : `${answer}; ${pulled}`
}

function correctionText(correction: CorrectionView): string {
  const { number, dueAt, said, words, found } = correction
  return `edition ${number ?? `of ${dueAt}`} said “${said}”: “${words ?? found}” (correction ${standing(correction)})`
}

async function articlesKnownBy(db: Db, what: string): Promise<Article[]> {
  const found = [...(await articlesByUrl(db, what)), ...(await letterWith(db, what))]
  return found.length > 0 ? found : await articlesByIds(db, await articlesTitled(db, what))
}

async function letterWith(db: Db, id: string): Promise<Article[]> {
  return (await articlesByIds(db, [id])).filter(({ letter }) => letter)
}

type Entry = Awaited<ReturnType<typeof ledgerOf>>[number]
type Look = Awaited<ReturnType<typeof choicesAbout>>[number]

/** Which copy has told the story already, and where; or that one is pulled. Empty: none. */
async function toldText(db: Db, { digest, articleId, sameAs }: Entry): Promise<string> {
  const [teller] = await tellersOf(db, digest, [articleId])
  if (teller) return sameStory({ ...toldBy(teller), at: teller.url })
  const pulled = (await pulledStories(db, digest)).get(sameAs ?? articleId)
  return pulled ? sameStory(pulled) : ''
}

function answerOf(entry: Entry, { last, told }: { last: Look | undefined; told: string }): string {
  if (entry.editionId !== null)
    return `in edition ${entry.number ?? entry.editionId} (${entry.status}), section ${last?.section ?? ''}`
  if (entry.withdrawnAt !== null) return `in none: ${entry.withdrawnBy} withdrew the letter on ${entry.withdrawnAt}`
  if (entry.backlogAt !== null) return `in none: ${backlogText(entry, last)}${told === '' ? '' : `; it is ${told}`}`
  if (entry.heldAt !== null)
    return `held since ${entry.heldAt}, and waits for an editor: ${entry.heldReason}; lastword feeds release or ignore decides`
  if (told !== '') return `in none: ${told}`
  if (!last) return `pending since ${entry.enrolledAt}: no edition has been composed since`
  const edition = `edition ${last.number ?? `of ${last.dueAt}`} (${last.status})`
  if (last.position !== null) return `pending: it was chosen for ${edition}, which gave it back`
  return `pending: ${edition} passed it over: ${last.reason}`
}

function backlogText({ backlogAt, enrolledAt, lapsedIn }: Entry, last: Look | undefined): string {
  if (lapsedIn !== null)
    return `backlog since ${backlogAt}: edition ${last?.number ?? `of ${last?.dueAt}`} passed it over for the last time: ${last?.reason}`
  if (backlogAt === enrolledAt)
    return `backlog, older than the newest articles when the feed was first seen on ${backlogAt}`
  return `backlog since ${backlogAt}, when an editor said that it is old`
}
