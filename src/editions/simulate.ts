import { day, type Instant, later } from '../clock.ts'
import { articlesOfFeeds, lettersEverOf } from '../store/articles.ts'
import { highestNumber, lastOut } from '../store/editions.ts'
import { countForgotten } from '../store/forgotten.ts'
import type { Db } from '../store/schema.ts'
import { type Digest, feedsListed } from './digest.ts'
import { runsAfter } from './due.ts'
import { pendingAtFirstSight } from './first-sight.ts'
import { lastLook } from './lapse.ts'
import { type Choice, select } from './select.ts'
import { Ledger, type Past } from './simulated-ledger.ts'
import { thinBy } from './thin.ts'

/** An edition that would have gone, or would have been skipped with the reason. Numbers go on from the edition before. */
export type Simulated = {
  number: number | null
  dueAt: Instant
  /** `waiting`: for approval, as every edition of a digest with `approval: required`; `held`: because it is thin. */
  status: 'sent' | 'waiting' | 'held' | 'skipped'
  reason: string | null
  choices: Choice[]
}

/** `byDate`: no edition has gone yet, so what the feeds held at first sight counts as seen on the day of its date. */
export type Simulation = {
  editions: Simulated[]
  byDate: boolean
  /** So many articles of this time are forgotten, and missing here. */
  forgotten: number
}

const week = 7 * day

/** Replays what the feeds have shown through today's rules, week by week up to now. Nothing is written. */
export async function simulate(db: Db, digest: Digest, weeks: number, now: Instant): Promise<Simulation> {
  const shown = await articlesOfFeeds(db, feedsListed(digest))
  const byDate = (await lastOut(db, digest.name)) === undefined
  const articles = [...(byDate ? seenByDate(shown) : shown), ...(await lettersEverOf(db, digest.name))]
  const from = later(now, -weeks * week)
  const before = await highestNumber(db, digest.name, from)
  const forgotten = await countForgotten(db, feedsListed(digest), from)
  return { editions: replay(articles, digest, { from, now, before }), byDate, forgotten }
}

/** A feed that is new to us was there before: with what it held at first sight an editor can tune rules at once. */
function seenByDate(articles: Past[]): Past[] {
  const first = firstSights(articles)
  return articles.map((article) => {
    const { feedUrl, seenAt, publishedAt } = article
    if (seenAt !== first.get(feedUrl) || publishedAt === null || publishedAt > seenAt) return article
    return { ...article, seenAt: publishedAt }
  })
}

/** When each feed was seen first. */
function firstSights(articles: Past[]): Map<string, Instant> {
  const first = new Map<string, Instant>()
  for (const { feedUrl, seenAt } of articles) if (seenAt < (first.get(feedUrl) ?? '~')) first.set(feedUrl, seenAt) // an instant begins with a digit
  return first
}

/** From when to when; the edition that was due last before bears the number `before`. */
type Window = { from: Instant; now: Instant; before: number }

/**
 * The same without a store. The ledger is in memory: what was seen before `from` is backlog, and of a feed that begins
 * later all but its newest. Titles are those of today, and what would have waited for an editor is taken as new.
 */
function replay(articles: Past[], digest: Digest, { from, now, before }: Window): Simulated[] {
  const ledger = new Ledger(backlogOf(articles, digest, from))
  const inSight = articles.toSorted((a, b) =>
    a.seenAt < b.seenAt ? -1 : a.seenAt > b.seenAt ? 1 : a.id < b.id ? -1 : 1,
  )
  const editions: Simulated[] = []
  let lastAt: Instant | undefined
  const made = digest.approval === 'required' ? 'waiting' : 'sent'
  for (const dueAt of runsAfter(digest, from, 10_000, now)) {
    const next = inSight.findIndex(({ seenAt }) => seenAt > dueAt)
    ledger.enrol(inSight.splice(0, next === -1 ? inSight.length : next))
    const choices = select(ledger.pending(), digest, dueAt)
    const thin = thinBy(digest, choices, lastAt, dueAt)
    const status = thin?.rule === 'skip' ? 'skipped' : thin?.rule === 'hold' ? 'held' : made
    const number = status === 'skipped' ? null : before + editions.filter((one) => one.number !== null).length + 1
    if (status === made) lastAt = dueAt
    for (const choice of choices) {
      const last = lastLook(choice, digest, dueAt)
      if (last === 'stale' || (last === 'passed' && status !== 'skipped')) ledger.settle(choice.article)
      if (status !== 'skipped' && choice.position !== null) ledger.take(choice.article, number)
    }
    editions.push({ number, dueAt, status, reason: thin?.reason ?? null, choices })
  }
  return editions
}

function backlogOf(articles: Past[], digest: Digest, from: Instant): Set<string> {
  const first = firstSights(articles)
  const backlog = new Set<string>()
  for (const [feedUrl, shown] of Map.groupBy(articles, (article) => article.feedUrl)) {
    const seenFirst = first.get(feedUrl) ?? from
    const atOnce = shown.filter(({ seenAt }) => seenAt === seenFirst)
    const isLetterbox = shown.some(({ letter }) => letter)
    const pending = isLetterbox ? undefined : pendingAtFirstSight(atOnce, digest, seenFirst)
    if (pending) for (const { id } of atOnce) if (!pending.has(id)) backlog.add(id)
    for (const { id, seenAt } of shown) if (seenAt <= from) backlog.add(id)
  }
  return backlog
}
