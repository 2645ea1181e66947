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
import { olderThanFeed } from '../choice/older-than-feed.ts'
import { decideThin, type ThinDecision } from '../choice/thin.ts'
import { type Digest, feedUrlsOf } from '../digest.ts'
import { selectEdited } from '../edits/apply-edits.ts'
import { type Edit, editFromRow } from '../edits/edit.ts'
import { runsAfter } from '../schedule/due-runs.ts'
import { type PastArticle, SimulatedLedger } from './simulated-ledger.ts'

/** An edition that would have been sent, held or skipped. Numbers continue from the last edition before the simulation. */
export type SimulatedEdition = {
  number: number | null
  dueAt: Instant
  /** `waiting`: for approval, in a digest with `approval: required`; `held`: it has too few articles. */
  status: 'sent' | 'waiting' | 'held' | 'skipped'
  reason: Reason | null
  choices: Choice[]
  /** The editors' changes to the real edition with that due time, after exclusions in earlier editions. */
  edits: Edit[]
}

/** `byDate`: no edition was sent yet, so articles in a feed's first fetch count as seen at their publication time. */
export type Simulation = {
  editions: SimulatedEdition[]
  byDate: boolean
  /** The number of articles from this period that were deleted, and are missing here. */
  forgotten: number
}

const week = 7 * day

/** Replays the feeds' past articles with today's rules, over `weeks` weeks up to now. Writes nothing. */
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

/** Dates the articles of each feed's first fetch by their publication time, so that editors can tune rules at once. */
function seenByDate(articles: PastArticle[]): PastArticle[] {
  const first = firstSeenByFeed(articles)
  return articles.map((article) => {
    const { feedUrl, seenAt, publishedAt } = article
    if (seenAt !== first.get(feedUrl) || publishedAt === null || publishedAt > seenAt) return article
    return { ...article, seenAt: publishedAt }
  })
}

/** The time at which each feed was first seen, by feed URL. */
function firstSeenByFeed(articles: PastArticle[]): Map<string, Instant> {
  const first = new Map<string, Instant>()
  for (const { feedUrl, seenAt } of articles) if (seenAt < (first.get(feedUrl) ?? '~')) first.set(feedUrl, seenAt) // '~' sorts after every instant
  return first
}

/** An edit with the due time of its edition. */
type PastEdit = { edit: Edit; dueAt: Instant }

/** The simulated period. `lastNumber` is the number of the last edition before `from`. */
type ReplayWindow = { from: Instant; now: Instant; lastNumber: number; edits: PastEdit[] }

/**
 * Simulates without a store, with an in-memory ledger: articles seen before `from` are backlog, and so are all but the
 * newest of a feed that begins later. Titles are today's, and articles that would have waited for an editor count as new.
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

/** Records the edition's printed and expired articles in the ledger. */
function recordChoices(ledger: SimulatedLedger, edition: SimulatedEdition, digest: Digest): void {
  const { choices, dueAt: now, number } = edition
  const isSkipped = edition.status === 'skipped'
  const expired = articleChoices(choices).filter((choice) => expiryOf(choice, { digest, now, isSkipped }) !== null)
  for (const { article } of expired) ledger.markBacklog(article)
  const printed = isSkipped ? [] : chosenOnly(choices)
  for (const choice of printed) ledger.markPrinted(choice, number)
}

/** The edits of the edition due at that instant, preceded by exclusions in earlier editions. */
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
    const later = shown.filter(({ seenAt }) => seenAt !== seenFirst)
    for (const id of olderThanFeed(later, firstBatch).keys()) backlog.add(id)
  }
  return backlog
}
