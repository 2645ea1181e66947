import { articlesOfFeeds } from '../../store/articles/articles.ts'
import { countForgotten } from '../../store/articles/forgotten.ts'
import { highestNumber, lastOutgoingDueAt } from '../../store/editions/editions.ts'
import { editsOfDigest } from '../../store/editions/edits.ts'
import type { Reason } from '../../store/events/reason.ts'
import { allLettersOf, type Letter } from '../../store/letters/letters.ts'
import type { Db } from '../../store/schema.ts'
import { addMs, day, type Instant } from '../../time/clock.ts'
import { articleChoices, type Choice, chosenOnly } from '../choice/choice.ts'
import { expiryOf } from '../choice/expiry.ts'
import { pendingAtFirstSight } from '../choice/first-sight.ts'
import { decideThin, type ThinDecision } from '../choice/thin.ts'
import { type Digest, feedUrlsOf } from '../digest.ts'
import { selectEdited } from '../edits/apply-edits.ts'
import { type Edit, editFromRow } from '../edits/edit.ts'
import { runsAfter } from '../schedule/due-runs.ts'
import { type PastArticle, SimulatedLedger } from './simulated-ledger.ts'

/** An edition that would have gone, or would have been skipped with the reason. Numbers go on from the edition before. */
export type SimulatedEdition = {
  number: number | null
  dueAt: Instant
  /** `waiting`: for approval, as every edition of a digest with `approval: required`; `held`: because it is thin. */
  status: 'sent' | 'waiting' | 'held' | 'skipped'
  reason: Reason | null
  choices: Choice[]
  /** What editors changed in the edition that was due then. */
  edits: Edit[]
}

/** `byDate`: no edition has gone yet, so what the feeds held at first sight counts as seen on the day of its date. */
export type Simulation = {
  editions: SimulatedEdition[]
  byDate: boolean
  /** So many articles of this time are forgotten, and missing here. */
  forgotten: number
}

const week = 7 * day

/** Replays what the feeds have shown through today's rules, week by week up to now. Nothing is written. */
export async function simulate(db: Db, digest: Digest, weeks: number, now: Instant): Promise<Simulation> {
  const shown = await articlesOfFeeds(db, feedUrlsOf(digest))
  const byDate = (await lastOutgoingDueAt(db, digest.name)) === undefined
  const articles = byDate ? seenByDate(shown) : shown
  const from = addMs(now, -weeks * week)
  const letters = (await allLettersOf(db, digest.name)).filter(({ enteredAt }) => enteredAt > from)
  const before = await highestNumber(db, digest.name, from)
  const forgotten = await countForgotten(db, feedUrlsOf(digest), from)
  const edits = (await editsOfDigest(db, digest.name, from)).map((row) => ({
    edit: editFromRow(row),
    dueAt: row.dueAt,
  }))
  const window = { from, now, lastNumber: before, edits }
  return { editions: replay({ articles, letters }, digest, window), byDate, forgotten }
}

/** A feed that is new to us was there before: with what it held at first sight an editor can tune rules at once. */
function seenByDate(articles: PastArticle[]): PastArticle[] {
  const first = firstSeenByFeed(articles)
  return articles.map((article) => {
    const { feedUrl, seenAt, publishedAt } = article
    if (seenAt !== first.get(feedUrl) || publishedAt === null || publishedAt > seenAt) return article
    return { ...article, seenAt: publishedAt }
  })
}

/** When each feed was seen first. */
function firstSeenByFeed(articles: PastArticle[]): Map<string, Instant> {
  const first = new Map<string, Instant>()
  for (const { feedUrl, seenAt } of articles) if (seenAt < (first.get(feedUrl) ?? '~')) first.set(feedUrl, seenAt) // an instant begins with a digit
  return first
}

/** An edit, and when its edition was due. */
type PastEdit = { edit: Edit; dueAt: Instant }

/** From when to when; the edition that was due last before bears the number `lastNumber`. */
type ReplayWindow = { from: Instant; now: Instant; lastNumber: number; edits: PastEdit[] }

/**
 * The same without a store. The ledger is in memory: what was seen before `from` is backlog, and of a feed that begins
 * later all but its newest. Titles are those of today, and what would have waited for an editor is taken as new.
 */
function replay(
  { articles, letters }: { articles: PastArticle[]; letters: Letter[] },
  digest: Digest,
  window: ReplayWindow,
): SimulatedEdition[] {
  const { from, now } = window
  const ledger = new SimulatedLedger(backlogOf(articles, digest, from), letters)
  const unseen = articles.toSorted(compareBySight)
  const editions: SimulatedEdition[] = []
  let lastAt: Instant | undefined
  let lastNumber = window.lastNumber
  for (const dueAt of runsAfter(digest, from, 10_000, now)) {
    const next = unseen.findIndex(({ seenAt }) => seenAt > dueAt)
    ledger.add(unseen.splice(0, next === -1 ? unseen.length : next))
    const edits = editsDueAt(window.edits, dueAt)
    const choices = selectEdited(ledger.pendingAt(dueAt), digest, dueAt, edits)
    const thin = decideThin(digest, choices, lastAt, dueAt)
    const status = statusOf(digest, thin)
    const number = status === 'skipped' ? null : ++lastNumber
    if (status === 'sent' || status === 'waiting') lastAt = dueAt
    const edition = { number, dueAt, status, reason: thin?.reason ?? null, choices, edits }
    recordChoices(ledger, edition, digest)
    editions.push(edition)
  }
  return editions
}

function compareBySight(one: PastArticle, other: PastArticle): number {
  if (one.seenAt !== other.seenAt) return one.seenAt < other.seenAt ? -1 : 1
  return one.id < other.id ? -1 : 1
}

function statusOf({ approval }: Digest, thin: ThinDecision | undefined): SimulatedEdition['status'] {
  if (thin?.rule === 'skip') return 'skipped'
  if (thin?.rule === 'hold') return 'held'
  return approval === 'required' ? 'waiting' : 'sent'
}

/** Tells the ledger what the edition printed, and what no later one looks at. */
function recordChoices(ledger: SimulatedLedger, edition: SimulatedEdition, digest: Digest): void {
  const { choices, dueAt: now, number } = edition
  const isSkipped = edition.status === 'skipped'
  const expired = articleChoices(choices).filter((choice) => expiryOf(choice, { digest, now, isSkipped }) !== null)
  for (const { article } of expired) ledger.markBacklog(article)
  const printed = isSkipped ? [] : chosenOnly(choices)
  for (const choice of printed) ledger.markPrinted(choice, number)
}

/** The edits of the edition of that time, after what editors excluded in earlier ones. */
function editsDueAt(past: PastEdit[], at: Instant): Edit[] {
  const earlier = past.filter(({ edit, dueAt }) => edit.kind === 'exclude' && dueAt < at)
  return [...earlier, ...past.filter(({ dueAt }) => dueAt === at)].map(({ edit }) => edit)
}

function backlogOf(articles: PastArticle[], digest: Digest, from: Instant): Set<string> {
  const first = firstSeenByFeed(articles)
  const backlog = new Set<string>()
  for (const [feedUrl, shown] of Map.groupBy(articles, (article) => article.feedUrl)) {
    const seenFirst = first.get(feedUrl) ?? from
    const firstBatch = shown.filter(({ seenAt }) => seenAt === seenFirst)
    const pending = pendingAtFirstSight(firstBatch, digest, seenFirst)
    for (const { id } of firstBatch) if (!pending.has(id)) backlog.add(id)
    for (const { id, seenAt } of shown) if (seenAt <= from) backlog.add(id)
  }
  return backlog
}
