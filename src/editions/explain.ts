import { letOthersWork } from '../clock.ts'
import { type Article, articlesByIds, articlesByUrl, toldBy } from '../store/articles.ts'
import { titleWords } from '../store/canonical.ts'
import { type CorrectionView, correctionsOfArticle } from '../store/corrections.ts'
import { articlesTitled, titlesBefore } from '../store/earlier-addresses.ts'
import { choicesAbout } from '../store/editions.ts'
import { forgottenAbout } from '../store/forgotten.ts'
import { ledgerOf } from '../store/ledger.ts'
import { pulledStories, pullsOf } from '../store/pulls.ts'
import type { Db, PullRow } from '../store/schema.ts'
import { tellersOf } from '../store/stories.ts'
import { sameStory } from './copies.ts'
import { standing } from './corrections.ts'
import { type Digest, feedsListed } from './digest.ts'
import { hasTerms } from './terms.ts'

export type Explanation = {
  /** The headline of the article, or of the letter, that it is about. */
  title: string
  /** Null: its feed is in no section of any digest. */
  digest: string | null
  edition: number | null
  status: string | null
  answer: string
  /** How each correction of what was said of it stands. */
  corrections: string[]
}

/**
 * Says of an article (by an address that it has or had, its guid, its title or words of it) or of a reader's letter (by its
 * id) in which edition of each digest it is, or why in none. Words of a title may name several articles. Empty: nothing
 * matches.
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
        title: article.title,
        digest: entry.digest,
        edition: entry.number,
        status: entry.status,
        answer: withPull(answerOf(entry, { last, told }), entry, pulled),
        corrections: corrections.filter(({ digest }) => digest === entry.digest).map(correctionText),
      })
    }
    if (!article.letter) answers.push(...withoutEntry(article, entries, digests, pulled))
  }
  for (const one of await forgottenAbout(db, what)) answers.push(forgottenExplanation(one, what))
  return answers
}

/** Its own title is forgotten too: it is named by what was asked. */
function forgottenExplanation(forgotten: Forgotten, what: string): Explanation {
  const { feedUrl, seenAt, forgottenAt, shownAt, reason } = forgotten
  const why = {
    age: 'nothing needed it, and its feed had not shown it for longer than articles.keep',
    count: 'no edition had chosen it, and its feed has shown thousands of newer articles since',
  }
  const again = shownAt > forgottenAt ? `; its feed showed it again, last on ${shownAt}, and it was passed over` : ''
  const answer = `in none: forgotten on ${forgottenAt}: ${why[reason]}. It was first seen on ${seenAt} in ${feedUrl}${again}`
  return { title: what, digest: null, edition: null, status: null, answer, corrections: [] }
}

/** The digests that list its feed and have not taken it in yet; where there is none at all, that. */
function withoutEntry({ title, feedUrl, seenAt }: Article, entries: Entry[], digests: Digest[], pulled: string) {
  const explanation = (digest: string | null, answer: string): Explanation => {
    return { title, digest, edition: null, status: null, answer, corrections: [] }
  }
  const listing = digests.filter((digest) => feedsListed(digest).includes(feedUrl))
  if (listing.length + entries.length === 0) {
    const [only, ...others] = digests
    const where = only && others.length === 0 ? only.name : 'any digest'
    return [explanation(null, `in none: the feed ${feedUrl} is in no section of ${where}`)]
  }
  return listing
    .filter(({ name }) => !entries.some((entry) => entry.digest === name))
    .map(({ name }) =>
      explanation(
        name,
        pulled === '' ? `pending: seen on ${seenAt}, and no edition has been composed since` : `in none: ${pulled}`,
      ),
    )
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
  if (found.length > 0) return found
  const titled = await articlesTitled(db, what)
  return await articlesByIds(db, titled.length > 0 ? titled : await articlesWithWords(db, what))
}

/** More than this many nobody reads: other words will find it. */
const maxCandidates = 20
const titlesAtOnce = 2000

/** The ids of the newest articles whose title has all these words, or words that begin so, in whatever order. */
async function articlesWithWords(db: Db, what: string): Promise<string[]> {
  const wanted = /^https?:/i.test(what) ? [] : titleWords(what)
  const found: string[] = []
  let before: string | undefined
  while (wanted.length > 0 && found.length < maxCandidates) {
    const page = await titlesBefore(db, before, titlesAtOnce)
    for (const { id, title } of page) if (hasWords(title, wanted)) found.push(id)
    if (page.length < titlesAtOnce) break
    before = page.at(-1)?.id
    await letOthersWork()
  }
  return found.slice(0, maxCandidates)
}

/** In a script without spaces a word may stand anywhere. */
function hasWords(title: string, wanted: string[]): boolean {
  const words = titleWords(title)
  return wanted.every((one) => words.some((word) => word.startsWith(one)) || hasTerms(title, one))
}

async function letterWith(db: Db, id: string): Promise<Article[]> {
  return (await articlesByIds(db, [id])).filter(({ letter }) => letter)
}

type Forgotten = Awaited<ReturnType<typeof forgottenAbout>>[number]
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
