import type { Instant } from '../clock.ts'
import type { Article, Candidate } from '../store/articles.ts'
import { alsoIn, newestCopies, sameStory, storyOf } from './copies.ts'
import { type Digest, feedsListed } from './digest.ts'
import { fill, passed } from './fill.ts'
import { leftOut, stale } from './filter.ts'
import { floorOf, floorsOf, floorWords, keptPlaces } from './floors.ts'

/**
 * Chosen if it has a position in its section, from 1; the reason is for a person either way. `waits`: it was passed over for
 * something that can pass, and not for what it is or for what else there was.
 */
export type Choice = { article: Candidate; section: string; position: number | null; reason: string; waits?: true }

/**
 * Decides what an edition holds, from what is pending and what time it is. Each article gets exactly one choice.
 * An article belongs to the first section that lists its feed and takes it in; `publishedAt` only sorts. A story is told
 * once: of its copies that one is printed which a section takes first. Where a rule keeps places (`atLeast`), what came in by
 * it and what had to go says so.
 */
export function select(pending: Candidate[], digest: Digest, now: Instant): Choice[] {
  const never = barred(pending, digest)
  const shut = new Set(never.map(({ article }) => article.id))
  const { newest, older } = newestCopies(pending.filter(({ id }) => !shut.has(id)))
  const others = [
    ...never,
    ...older.map(({ article, newer }) => passed(article, homeOf(article, digest), sameStory(newer))),
  ]
  const sources = alsoIn(pending)
  const choose = (kept: Candidate[]) => [...choicesOf(newest, digest, { sources, kept, now }), ...others]
  const plain = choose([])
  if (floorsOf(digest).length === 0) return plain
  const kept = keptPlaces(digest, plain, newest, now)
  return kept.length === 0 ? plain : comparedWith(plain, choose(kept), digest)
}

type Choosing = { sources(article: Candidate): string[]; kept: Candidate[]; now: Instant }

/** Section by section. `kept` are articles that have their places whatever is newer, as far as the rules allow. */
function choicesOf(open: Candidate[], digest: Digest, { sources, kept, now }: Choosing): Choice[] {
  const feeds = feedsListed(digest)
  const taken = new Set<string>()
  const verdicts = new Map<string, Choice>()
  const chosen: Candidate[] = []
  const tellers = new Map(kept.map((article) => [storyOf(article), article]))
  for (const section of digest.sections) {
    const free = open.filter(
      (article) => !taken.has(article.id) && (tellers.get(storyOf(article)) ?? article) === article,
    )
    const takenIn = (article: Candidate) => {
      const reason = leftOut(article, section) ?? stale(article, section, now)
      if (reason !== null && !verdicts.has(article.id)) verdicts.set(article.id, passed(article, section.name, reason))
      return reason === null
    }
    const candidates = free.filter(({ feedUrl }) => section.feeds.includes(feedUrl)).filter(takenIn)
    const spare = free.filter(({ feedUrl }) => feedUrl === section.backfill).filter(takenIn)
    const letters = section.layout === 'have-your-say' ? free.filter(({ letter }) => letter) : []
    const filling = { candidates, letters, spare, chosen, kept, feeds, sources, digest, now }
    const { choices, mayStandLater } = fill(section, filling)
    for (const choice of choices) {
      const { article, position } = choice
      verdicts.delete(article.id) // what a section before said of it: this one stands, and in its order
      verdicts.set(article.id, choice)
      const isSpare = article.feedUrl === section.backfill
      if (position !== null || !(mayStandLater || article.letter || isSpare)) taken.add(article.id)
      if (position === null) continue
      chosen.push(article)
      tellers.set(storyOf(article), article)
    }
  }
  const unseen = open.filter(({ id }) => !verdicts.has(id))
  const homeless = unseen.map((article) => passed(article, homeOf(article, digest), homelessReason(article)))
  return [...verdicts.values(), ...homeless].map((choice) => withTeller(choice, tellers.get(storyOf(choice.article))))
}

/** What was passed over where another copy tells its story says so. */
function withTeller(choice: Choice, teller: Candidate | undefined): Choice {
  const { article, position, reason } = choice
  if (position !== null || teller === undefined || teller === article) return choice
  const same = sameStory(teller)
  if (reason === same) return choice
  return { ...choice, reason: reason === homelessReason(article) ? same : `${reason}; it is ${same}` }
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
  const waiting = pending.filter(({ held }) => held).toSorted((a, b) => (a.id < b.id ? 1 : -1))
  const stopped = new Map(waiting.map(({ held, feedUrl }) => [feedUrl, held]))
  return pending.flatMap((article) => {
    const { told, held, cut, pulled, feedUrl } = article
    const home = homeOf(article, digest)
    const stop = stopped.get(feedUrl)
    if (pulled) return [waits(passed(article, home, `pulled by ${pulled.who}: ${pulled.reason}`))]
    if (held) return [waits(passed(article, home, `it waits for an editor: ${held}`))]
    if (told) return [passed(article, home, sameStory(told))]
    if (stop) return [waits(passed(article, home, `its feed waits for an editor: ${stop}`))]
    return cut ? [passed(article, home, cut.reason)] : []
  })
}

function waits(choice: Choice): Choice {
  return { ...choice, waits: true }
}

function homeOf({ feedUrl }: Article, digest: Digest): string {
  return digest.sections.find(({ feeds, backfill }) => feeds.includes(feedUrl) || backfill === feedUrl)?.name ?? ''
}
