import { describeReason } from '../describe/describe.ts'
import type { Article } from '../store/articles/article.ts'
import { articlesByIds, articlesByUrl, toPublishedAs } from '../store/articles/articles.ts'
import { titleWords } from '../store/articles/canonical-address.ts'
import { articleIdsByTitle, titlesBefore } from '../store/articles/earlier-addresses.ts'
import { findForgotten } from '../store/articles/forgotten.ts'
import { retractedStories, retractionsOf } from '../store/articles/retractions.ts'
import { type CorrectionView, correctionsOfArticle } from '../store/corrections/corrections.ts'
import { choicesAbout } from '../store/editions/choices.ts'
import { editionById } from '../store/editions/editions.ts'
import { editsAbout } from '../store/editions/edits.ts'
import type { Reason } from '../store/events/reason.ts'
import { fromJson } from '../store/json.ts'
import { ledgerOf } from '../store/ledger/ledger.ts'
import { possibleDuplicatesOf } from '../store/ledger/possible-duplicates.ts'
import { publishedCopies } from '../store/ledger/stories.ts'
import { type Letter, letterById } from '../store/letters/letters.ts'
import type { Db, EditionRow, RetractionRow } from '../store/schema.ts'
import { type Instant, yieldToEventLoop } from '../time/clock.ts'
import { sameStoryReason } from './choice/copies.ts'
import { hasTerms } from './choice/terms.ts'
import { statusText } from './corrections/decide.ts'
import { type Digest, feedUrlsOf } from './digest.ts'
import { editFromRow, editText } from './edits/edit.ts'
import { possibleDuplicateReason } from './stories/possible-duplicates.ts'

export type Explanation = {
  /** Headline of the article or letter. */
  title: string
  /** Null: no digest lists its feed. */
  digest: string | null
  edition: number | null
  status: string | null
  answer: string
  /** The state of each correction of the article. */
  corrections: string[]
  /** Edits, such as: "edition 31: mira dropped “Trams return”". */
  edits: string[]
}

/**
 * Explains in which edition of each digest an article or letter is, or why it is in none. `query` is an address (also
 * an earlier one), guid, title or title words of one or more articles, or the id of a letter; the result is empty if
 * nothing matches.
 */
export async function explain(db: Db, digests: Digest[], query: string): Promise<Explanation[]> {
  const letter = await letterById(db, query)
  if (letter) return [await explainLetter(db, letter)]
  const answers: Explanation[] = []
  const articles = await findArticles(db, query)
  const pulls = await retractionsOf(
    db,
    articles.map(({ id }) => id),
  )
  for (const article of articles) {
    const pulled = retractionText(pulls.get(article.id))
    const entries = await ledgerOf(db, article.id)
    const pastChoices = await choicesAbout(db, article.id)
    const corrections = await correctionsOfArticle(db, article.id)
    const edits = await editsAbout(db, article.id)
    for (const entry of entries) {
      const last =
        pastChoices.find(({ editionId }) => editionId === entry.lapsedIn) ??
        pastChoices.find(({ digest }) => digest === entry.digest)
      const publishedAs = await publishedAsText(db, entry)
      const [duplicate] = await possibleDuplicatesOf(db, entry.digest, [article.id])
      const isPassedOver = entry.lapsedIn === null || last?.editionId === entry.lapsedIn
      const droppedIn = isPassedOver ? undefined : await editionById(db, entry.lapsedIn ?? '')
      answers.push({
        title: article.title,
        digest: entry.digest,
        edition: entry.number,
        status: entry.status,
        answer: withDuplicate(
          withRetraction(answerText(entry, { last, publishedAs, droppedIn }), entry, pulled),
          duplicate,
        ),
        corrections: corrections.filter(({ digest }) => digest === entry.digest).map(correctionText),
        edits: edits.filter(({ digest }) => digest === entry.digest).map(editLine),
      })
    }
    answers.push(...explainWithoutEntry(article, entries, digests, pulled))
  }
  for (const one of await findForgotten(db, query)) answers.push(forgottenExplanation(one, query))
  return answers
}

/** The title is forgotten too, so the explanation uses the query. */
function forgottenExplanation(forgotten: ForgottenArticle, what: string): Explanation {
  const { feedUrl, seenAt, forgottenAt, shownAt, reason } = forgotten
  const why = {
    age: 'nothing needed it, and its feed had not shown it for longer than articles.keep',
    count: 'no edition had chosen it, and its feed has shown thousands of newer articles since',
  }
  const again = shownAt > forgottenAt ? `; its feed showed it again, last on ${shownAt}, and it was passed over` : ''
  const answer = `in none: forgotten on ${forgottenAt}: ${why[reason]}. It was first seen on ${seenAt} in ${feedUrl}${again}`
  return { title: what, digest: null, edition: null, status: null, answer, corrections: [], edits: [] }
}

/**
 * One explanation per digest that lists the feed and does not have the article in its ledger; one explanation if no
 * digest lists the feed.
 */
function explainWithoutEntry(
  { title, feedUrl, seenAt }: Article,
  entries: LedgerEntry[],
  digests: Digest[],
  pulled: string,
) {
  const explanation = (digest: string | null, answer: string): Explanation => {
    return { title, digest, edition: null, status: null, answer, corrections: [], edits: [] }
  }
  const listing = digests.filter((digest) => feedUrlsOf(digest).includes(feedUrl))
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

function retractionText(pull: RetractionRow | undefined): string {
  return pull ? `retracted on ${pull.at} by ${pull.who}: ${pull.reason}; no edition chooses it` : ''
}

/** A retracted item stays in the edition that printed it; without an edition, the answer is the retraction. */
function withRetraction(answer: string, { editionId }: PrintedIn, pulled: string): string {
  if (pulled === '') return answer
  return editionId === null ? `in none: ${pulled}` : `${answer}; ${pulled}`
}

function withDuplicate(answer: string, duplicate: Parameters<typeof possibleDuplicateReason>[0] | undefined): string {
  return duplicate ? `${answer}; ${describeReason(possibleDuplicateReason(duplicate))}` : answer
}

function correctionText(correction: CorrectionView): string {
  const { number, dueAt, said, words, found } = correction
  return `edition ${number ?? `of ${dueAt}`} said “${said}”: “${words ?? found}” (correction ${statusText(correction)})`
}

function editLine(row: Awaited<ReturnType<typeof editsAbout>>[number]): string {
  const undone = row.undoneAt === null ? '' : `, and ${row.undoneBy} took that back`
  return `edition ${row.editionNumber ?? `of ${row.dueAt}`}: ${row.who} ${editText(editFromRow(row))}${undone}`
}

async function findArticles(db: Db, what: string): Promise<Article[]> {
  const found = await articlesByUrl(db, what)
  if (found.length > 0) return found
  const titled = await articleIdsByTitle(db, what)
  return await articlesByIds(db, titled.length > 0 ? titled : await articlesWithWords(db, what))
}

/** Maximum number of matches; a longer query finds fewer. */
const maxMatches = 20
const titlesPerPage = 2000

/** The ids of the newest articles whose titles have all words of the query in any order; a prefix of a word matches. */
async function articlesWithWords(db: Db, what: string): Promise<string[]> {
  const wanted = /^https?:/i.test(what) ? [] : titleWords(what)
  const found: string[] = []
  let beforeId: string | undefined
  while (wanted.length > 0 && found.length < maxMatches) {
    const page = await titlesBefore(db, beforeId, titlesPerPage)
    for (const { id, title } of page) if (hasWords(title, wanted)) found.push(id)
    if (page.length < titlesPerPage) break
    beforeId = page.at(-1)?.id
    await yieldToEventLoop()
  }
  return found.slice(0, maxMatches)
}

/** In scripts without spaces, a word matches anywhere in the title. */
function hasWords(title: string, wanted: string[]): boolean {
  const words = titleWords(title)
  return wanted.every((one) => words.some((word) => word.startsWith(one)) || hasTerms(title, one))
}

async function explainLetter(db: Db, letter: Letter): Promise<Explanation> {
  const { id, digest, headline: title, number: edition, status } = letter
  const [last] = await choicesAbout(db, id)
  const pulled = retractionText((await retractionsOf(db, [id])).get(id))
  const answer = withRetraction(letterAnswer(letter, last), letter, pulled)
  const edits = (await editsAbout(db, id)).map(editLine)
  return { title, digest, edition, status, answer, corrections: [], edits }
}

function letterAnswer(letter: Letter, last: PastChoice | undefined): string {
  const { withdrawnAt, withdrawnBy, enteredAt } = letter
  if (letter.editionId !== null) return printedText(letter, last)
  if (withdrawnAt !== null) return `in none: ${withdrawnBy} withdrew the letter on ${withdrawnAt}`
  return pendingText(enteredAt, last)
}

type ForgottenArticle = Awaited<ReturnType<typeof findForgotten>>[number]
type LedgerEntry = Awaited<ReturnType<typeof ledgerOf>>[number]
/** The edition that contains the item; null: none. */
type PrintedIn = Pick<LedgerEntry, 'editionId' | 'number' | 'status'>
type PastChoice = Awaited<ReturnType<typeof choicesAbout>>[number]

/** Describes the copy of the story that was published or retracted; empty if there is none. */
async function publishedAsText(db: Db, { digest, articleId, sameAs }: LedgerEntry): Promise<string> {
  const [publishedCopy] = await publishedCopies(db, digest, [articleId])
  if (publishedCopy) return describeReason(sameStoryReason(toPublishedAs(publishedCopy), publishedCopy.url))
  const pulled = (await retractedStories(db, digest)).get(sameAs ?? articleId)
  return pulled ? describeReason(sameStoryReason(pulled)) : ''
}

function answerText(
  entry: LedgerEntry,
  {
    last,
    publishedAs,
    droppedIn,
  }: { last: PastChoice | undefined; publishedAs: string; droppedIn?: EditionRow | undefined },
): string {
  if (entry.editionId !== null) return printedText(entry, last)
  if (entry.backlogAt !== null)
    return `in none: ${droppedIn ? droppedText(entry, droppedIn) : backlogText(entry, last)}${publishedAs === '' ? '' : `; it is ${publishedAs}`}`
  if (entry.quarantinedAt !== null)
    return `quarantined since ${entry.quarantinedAt}, and waits for an editor: ${entry.quarantineReason && describeReason(entry.quarantineReason)}; lastword feeds release or ignore decides`
  if (publishedAs !== '') return `in none: ${publishedAs}`
  return pendingText(entry.enrolledAt, last)
}

function printedText({ editionId, number, status }: PrintedIn, last: PastChoice | undefined): string {
  return `in edition ${number ?? editionId} (${status}), section ${last?.section ?? ''}`
}

function pendingText(since: Instant, last: PastChoice | undefined): string {
  if (!last) return `pending since ${since}: no edition has been composed since`
  const edition = `edition ${last.number ?? `of ${last.dueAt}`} (${last.status})`
  if (last.position !== null) return `pending: it was chosen for ${edition}, which gave it back`
  return `pending: ${edition} passed it over: ${describeReason(last.reason)}`
}

/** The article was pending when a date was skipped whose articles are dropped. */
function droppedText({ backlogAt }: LedgerEntry, { dueAt, reason }: EditionRow): string {
  return `backlog since ${backlogAt}: no edition was made on ${dueAt}: ${reason && describeReason(reason)}`
}

function backlogText(
  { backlogAt, backlogReason, enrolledAt, lapsedIn }: LedgerEntry,
  last: PastChoice | undefined,
): string {
  if (lapsedIn !== null)
    return `backlog since ${backlogAt}: edition ${last?.number ?? `of ${last?.dueAt}`} passed it over for the last time: ${last && describeReason(last.reason)}`
  const reason: Reason | null = backlogReason === null ? null : fromJson(backlogReason)
  if (reason?.code === 'older-than-feed') return `backlog: ${describeReason(reason)}`
  if (backlogAt === enrolledAt)
    return `backlog, older than the newest articles when the feed was first seen on ${backlogAt}`
  return `backlog since ${backlogAt}, when an editor said that it is old`
}
