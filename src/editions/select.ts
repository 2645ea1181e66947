import { between, type Instant, spanMilliseconds } from '../clock.ts'
import type { Article, Candidate } from '../store/articles.ts'
import type { Digest, Section } from './digest.ts'
import { leftOut } from './filter.ts'
import { inOrder, type Placed } from './order.ts'
import { Quota } from './quota.ts'

/** Chosen if it has a position in its section, from 1; the reason is for a person either way. */
export type Choice = { article: Article; section: string; position: number | null; reason: string }

/**
 * Decides what an edition holds, from what is pending and what time it is. Each article gets exactly one choice.
 * An article belongs to the first section that lists its feed and takes it in; `publishedAt` only sorts.
 */
export function select(pending: Candidate[], digest: Digest, now: Instant): Choice[] {
  const never = barred(pending, digest)
  const taken = new Set(never.map(({ article }) => article.id))
  const verdicts = new Map<string, Choice>()
  const chosen: Article[] = []
  const sources = alsoIn(pending)
  for (const section of digest.sections) {
    const listed = pending.filter((article) => section.feeds.includes(article.feedUrl) && !taken.has(article.id))
    const candidates: Candidate[] = []
    for (const article of listed) {
      const reason = leftOut(article, section)
      if (reason === null) candidates.push(article)
      else if (!verdicts.has(article.id)) verdicts.set(article.id, passed(article, section.name, reason))
    }
    const spare = spareFor(section, digest, pending, taken)
    const { choices, mayStandLater } = fill(section, { candidates, spare, chosen, sources, digest, now })
    for (const choice of choices) {
      verdicts.delete(choice.article.id) // what a section before said of it: this one stands, and in its order
      verdicts.set(choice.article.id, choice)
      if (choice.position !== null) chosen.push(choice.article)
      if (!mayStandLater || choice.position !== null) taken.add(choice.article.id)
    }
  }
  const homeless = pending.filter(({ id }) => !taken.has(id) && !verdicts.has(id))
  const reason = 'its feed is in no section any more'
  return [...verdicts.values(), ...never, ...homeless.map((article) => passed(article, '', reason))]
}

/** What no edition may hold now, whatever its sections say. */
function barred(pending: Candidate[], digest: Digest): Choice[] {
  const stopped = new Map(pending.flatMap(({ held, feedUrl }) => (held ? [[feedUrl, held] as const] : [])))
  return pending.flatMap((article) => {
    const { same, held, cut, pulled, feedUrl } = article
    const stop = stopped.get(feedUrl)
    const reason = pulled
      ? `pulled by ${pulled.who}: ${pulled.reason}`
      : held
        ? `it waits for an editor: ${held}`
        : same
          ? `the same story as “${same.title}”, from ${same.source}`
          : stop
            ? `its feed waits for an editor: ${stop}`
            : cut?.reason
    return reason === undefined ? [] : [passed(article, homeOf(article, digest), reason)]
  })
}

function homeOf({ feedUrl }: Article, digest: Digest): string {
  return digest.sections.find(({ feeds, backfill }) => feeds.includes(feedUrl) || backfill === feedUrl)?.name ?? ''
}

/** The names of the other feeds that tell the same story, by the article that stands for it. */
function alsoIn(pending: Candidate[]): Map<string, string[]> {
  const found = new Map<string, string[]>()
  const byId = new Map(pending.map((article) => [article.id, article]))
  for (const { same, source, feedUrl } of pending) {
    if (!same || byId.get(same.id)?.feedUrl === feedUrl) continue
    found.set(same.id, [...new Set([...(found.get(same.id) ?? []), source || feedUrl])].sort())
  }
  return found
}

/** What may fill the section up: from its backfill feed, if no section wants that feed for itself. */
function spareFor(section: Section, digest: Digest, pending: Candidate[], taken: Set<string>): Candidate[] {
  const { backfill } = section
  if (backfill === undefined || digest.sections.some(({ feeds }) => feeds.includes(backfill))) return []
  return pending.filter((article) => article.feedUrl === backfill && !taken.has(article.id))
}

type Filling = {
  candidates: Candidate[]
  spare: Candidate[]
  /** In the sections before. */
  chosen: Article[]
  sources: Map<string, string[]>
  digest: Digest
  now: Instant
}

function fill(section: Section, filling: Filling): { choices: Choice[]; mayStandLater: boolean } {
  const { candidates, spare, chosen, sources, digest, now } = filling
  const edition = new Quota(digest.atMost, 'the edition')
  for (const article of chosen) edition.count(article)
  const quotas = [
    new Quota({ author: section.perAuthor, feed: section.perFeed }, `the section ${section.name}`),
    edition,
  ]
  const count = (article: Article) => sources.get(article.id)?.length ?? 0
  const room: Room = { section, quotas, sources, now, position: 0 }

  const own = pick(inOrder(candidates, section, count, now), room, section.maximum)
  const wanted = section.thin === 'backfill' ? Math.min(section.minimum, section.maximum) : 0
  const filler = pick(inOrder(spare, { order: 'newest', feeds: [] }, count, now), room, wanted)
  const choices = [...own, ...filler.map((choice) => asFiller(choice, section))]
  if (room.position >= section.minimum || section.thin === 'ask') return { choices, mayStandLater: false }

  const reason = `the section has ${room.position} and needs ${section.minimum}: dropped this time, and its articles stay pending`
  return {
    choices: choices.map((choice) =>
      choice.position === null ? choice : passed(choice.article, section.name, reason),
    ),
    mayStandLater: section.thin === 'drop',
  }
}

type Room = { section: Section; quotas: Quota[]; sources: Map<string, string[]>; now: Instant; position: number }

/** Takes what the rules allow, in order, until the section holds `most`. */
function pick(placed: Placed[], room: Room, most: number): Choice[] {
  const { section, quotas, sources, now } = room
  return placed.map(({ article, words }, index) => {
    const against =
      stale(article, section, now) ??
      full(room, most) ??
      quotas.map((one) => one.exceededBy(article)).find((reason) => reason !== null)
    if (against != null) return passed(article, section.name, against)
    for (const quota of quotas) quota.count(article)
    room.position += 1
    const others = sources.get(article.id)
    const reason = `number ${index + 1} of ${placed.length} pending, ${words}${others ? `; also in ${others.join(', ')}` : ''}`
    return { article, section: section.name, position: room.position, reason }
  })
}

function full({ section, position }: Room, most: number): string | null {
  if (position < most) return null
  return `the section is full: ${position} ${section.order === 'newest' ? 'newer ' : ''}articles stand before it`
}

/** Counted from when we first saw it: a date in a feed may be wrong, and only sorts. */
function stale({ seenAt }: Article, { freshness }: Section, now: Instant): string | null {
  if (freshness === undefined || between(seenAt, now) <= spanMilliseconds(freshness)) return null
  return `it is not fresh: first seen on ${seenAt}, longer ago than ${freshness}`
}

function asFiller(choice: Choice, section: Section): Choice {
  const reason =
    choice.position === null
      ? `the section ${section.name} is not short: its spare feed is not needed`
      : `fills the section up: ${choice.reason}`
  return { ...choice, reason }
}

function passed(article: Article, section: string, reason: string): Choice {
  return { article, section, position: null, reason }
}
