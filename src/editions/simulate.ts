import { day, type Instant, later } from '../clock.ts'
import { type Article, articlesOfFeeds, type Candidate, lettersEverOf, type Recognised } from '../store/articles.ts'
import type { Db } from '../store/schema.ts'
import { type Digest, feedsListed } from './digest.ts'
import { runsAfter } from './due.ts'
import { roomOfFeeds } from './enrol.ts'
import { type Story, sameStories } from './same.ts'
import { type Choice, select } from './select.ts'
import { thinBy } from './thin.ts'

/** An edition that would have gone, or would have been skipped with the reason. */
export type Simulated = {
  number: number | null
  dueAt: Instant
  status: 'sent' | 'held' | 'skipped'
  reason: string | null
  choices: Choice[]
}

type Past = Article & Recognised
const week = 7 * day

/** Replays what the feeds have shown through today's rules, week by week up to now. Nothing is written. */
export async function simulate(db: Db, digest: Digest, weeks: number, now: Instant): Promise<Simulated[]> {
  const articles = [...(await articlesOfFeeds(db, feedsListed(digest))), ...(await lettersEverOf(db, digest.name))]
  return replay(articles, digest, later(now, -weeks * week), now)
}

/**
 * The same without a store. The ledger is in memory: what was seen before `from` is backlog, and of a feed that begins
 * later all but its newest. Titles are those of today, and what would have waited for an editor is taken as new.
 */
export function replay(articles: Past[], digest: Digest, from: Instant, now: Instant): Simulated[] {
  const backlog = backlogOf(articles, digest, from)
  const taken = new Set<string>()
  const editions: Simulated[] = []
  let lastAt: Instant | undefined
  for (const dueAt of runsAfter(digest, from, 10_000, now)) {
    const seen = articles.filter(({ seenAt }) => seenAt <= dueAt)
    const choices = select(
      pendingOf(seen, digest, (id) => taken.has(id) || backlog.has(id)),
      digest,
      dueAt,
    )
    const thin = thinBy(digest, choices, lastAt, dueAt)
    const status = thin?.rule === 'skip' ? 'skipped' : thin?.rule === 'hold' ? 'held' : 'sent'
    const number = status === 'skipped' ? null : editions.filter((one) => one.number !== null).length + 1
    if (status !== 'skipped') for (const { article, position } of choices) if (position !== null) taken.add(article.id)
    if (status === 'sent') lastAt = dueAt
    editions.push({ number, dueAt, status, reason: thin?.reason ?? null, choices })
  }
  return editions
}

function backlogOf(articles: Past[], digest: Digest, from: Instant): Set<string> {
  const rooms = roomOfFeeds(digest)
  const backlog = new Set<string>()
  for (const [feedUrl, shown] of Map.groupBy(articles, (article) => article.feedUrl)) {
    const first = shown.reduce(
      (earliest, { seenAt }) => (seenAt < earliest ? seenAt : earliest),
      shown[0]?.seenAt ?? '',
    )
    const atOnce = shown
      .filter(({ seenAt }) => seenAt === first)
      .toSorted((a, b) => ((a.publishedAt ?? a.seenAt) < (b.publishedAt ?? b.seenAt) ? 1 : -1))
    const isLetterbox = shown.some(({ letter }) => letter)
    if (!isLetterbox) for (const { id } of atOnce.slice(rooms.get(feedUrl) ?? 0)) backlog.add(id)
    for (const { id, seenAt } of shown) if (seenAt <= from) backlog.add(id)
  }
  return backlog
}

function pendingOf(seen: Past[], digest: Digest, isSettled: (id: string) => boolean): Candidate[] {
  const told = seen.filter(({ letter }) => !letter)
  const stories = told.map(
    (article): Story => ({ ...article, settled: isSettled(article.id), own: false, sameAs: null }),
  )
  const roots = sameStories(stories, feedsListed(digest))
  const byId = new Map(seen.map((article) => [article.id, article]))
  return seen
    .filter(({ id }) => !isSettled(id))
    .map(({ shownAt: _shownAt, ...article }) => {
      const root = byId.get(roots.get(article.id) ?? '')
      return { ...article, same: root ? { id: root.id, title: root.title, source: root.source || root.feedUrl } : null }
    })
}
