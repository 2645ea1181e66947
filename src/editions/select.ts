import type { Instant } from '../clock.ts'
import type { Article, Candidate } from '../store/articles.ts'
import type { Digest, Section } from './digest.ts'
import { fill, passed } from './fill.ts'
import { leftOut } from './filter.ts'
import { floorOf, floorsOf, floorWords, keptPlaces } from './floors.ts'

/** Chosen if it has a position in its section, from 1; the reason is for a person either way. */
export type Choice = { article: Article; section: string; position: number | null; reason: string }

/**
 * Decides what an edition holds, from what is pending and what time it is. Each article gets exactly one choice.
 * An article belongs to the first section that lists its feed and takes it in; `publishedAt` only sorts. Where a rule
 * keeps places (`atLeast`), what came in by it and what had to go says so.
 */
export function select(pending: Candidate[], digest: Digest, now: Instant): Choice[] {
  const never = barred(pending, digest)
  const shut = new Set(never.map(({ article }) => article.id))
  const open = pending.filter(({ id }) => !shut.has(id))
  const sources = alsoIn(pending)
  const choose = (kept: Article[]) => [...choicesOf(open, digest, { sources, kept, now }), ...never]
  const plain = choose([])
  if (floorsOf(digest).length === 0) return plain
  const kept = keptPlaces(digest, plain, new Set(open.map(({ id }) => id)), now)
  return kept.length === 0 ? plain : comparedWith(plain, choose(kept), digest)
}

type Choosing = { sources: Map<string, string[]>; kept: Article[]; now: Instant }

/** Section by section. `kept` are articles that have their places whatever is newer, as far as the rules allow. */
function choicesOf(open: Candidate[], digest: Digest, { sources, kept, now }: Choosing): Choice[] {
  const taken = new Set<string>()
  const verdicts = new Map<string, Choice>()
  const chosen: Article[] = []
  for (const section of digest.sections) {
    const listed = open.filter((article) => section.feeds.includes(article.feedUrl) && !taken.has(article.id))
    const candidates: Candidate[] = []
    for (const article of listed) {
      const reason = leftOut(article, section)
      if (reason === null) candidates.push(article)
      else if (!verdicts.has(article.id)) verdicts.set(article.id, passed(article, section.name, reason))
    }
    const spare = spareFor(section, digest, open, taken)
    const letters = section.layout === 'have-your-say' ? open.filter(({ id, letter }) => letter && !taken.has(id)) : []
    const { choices, mayStandLater } = fill(section, { candidates, letters, spare, chosen, kept, sources, digest, now })
    for (const choice of choices) {
      const { article, position } = choice
      verdicts.delete(article.id) // what a section before said of it: this one stands, and in its order
      verdicts.set(article.id, choice)
      if (position !== null) chosen.push(article)
      if (position !== null || !(mayStandLater || article.letter)) taken.add(article.id)
    }
  }
  const homeless = open.filter(({ id }) => !taken.has(id) && !verdicts.has(id))
  return [...verdicts.values(), ...homeless.map((article) => passed(article, '', homelessReason(article)))]
}

function homelessReason({ letter }: Article): string {
  return letter ? 'no section prints letters (layout have-your-say)' : 'its feed is in no section any more'
}

/** The choice with what the rules changed in the words of both: who came in, and in whose place. */
function comparedWith(plain: Choice[], choices: Choice[], digest: Digest): Choice[] {
  const before = placesOf(plain)
  const after = placesOf(choices)
  const cameIn = choices.flatMap((choice) => {
    if (choice.position === null || before.has(choice.article.id)) return []
    const rule = floorOf(choice.article, choice.section, digest)
    return rule ? [{ ...choice, words: floorWords(rule) }] : []
  })
  const wentOut = choices.filter(({ article }) => before.has(article.id) && !after.has(article.id))
  return choices.map((choice) => {
    const came = cameIn.find(({ article }) => article.id === choice.article.id)
    if (came) return { ...choice, reason: `${choice.reason}; in because ${came.words}` }
    if (!wentOut.includes(choice)) return choice
    const there = before.get(choice.article.id) ?? choice.section
    const inThere = cameIn.filter(({ section }) => section === there)
    const rivals = inThere.length > 0 ? inThere : cameIn
    const rank = wentOut.filter(({ article }) => before.get(article.id) === there).indexOf(choice)
    const rival = rivals[Math.min(Math.max(0, rank), rivals.length - 1)]
    return rival ? { ...choice, reason: `“${rival.article.title}” has its place: ${rival.words}` } : choice
  })
}

/** The section of every article that was chosen. */
function placesOf(choices: Choice[]): Map<string, string> {
  return new Map(
    choices.flatMap(({ article, section, position }) => (position === null ? [] : [[article.id, section]])),
  )
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
