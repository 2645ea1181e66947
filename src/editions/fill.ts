import type { Instant } from '../clock.ts'
import type { Article, Candidate } from '../store/articles.ts'
import type { Digest, Section } from './digest.ts'
import { stale } from './filter.ts'
import { inLine, inOrder, type Placed } from './order.ts'
import { Quota } from './quota.ts'
import type { Choice } from './select.ts'

export type Filling = {
  /** Articles that the section takes in. */
  candidates: Candidate[]
  /** Readers' letters, for a section that prints them. */
  letters: Candidate[]
  spare: Candidate[]
  /** In the sections before. */
  chosen: Article[]
  /** Articles whose places are kept by a rule, here or in another section. */
  kept: Article[]
  /** The names of the other feeds that tell the same story. */
  sources: Map<string, string[]>
  digest: Digest
  now: Instant
}

/** Fills one section. `mayStandLater`: what it does not hold is free for a later one. */
export function fill(section: Section, filling: Filling): { choices: Choice[]; mayStandLater: boolean } {
  const { candidates, letters, spare, sources, now } = filling
  const count = (article: Article) => sources.get(article.id)?.length ?? 0
  const placed = inOrder(candidates, section, count, now)
  const kept = candidates.filter(({ id }) => filling.kept.some((one) => one.id === id))
  const quotas = quotasOf(section, kept, filling)
  const room: Room = { section, quotas, sources, now, position: 0, letters: 0, kept: new Set(kept.map(({ id }) => id)) }

  const printed = pick(inLine(letters), room, section.maximum)
  room.letters = room.position
  const own = pick(placed, room, section.maximum)
  const wanted = section.thin === 'backfill' ? Math.min(section.minimum, section.maximum) : 0
  const filler = pick(inOrder(spare, { order: 'newest', feeds: [] }, count, now), room, wanted)
  const choices = [...printed, ...own, ...filler.map((choice) => asFiller(choice, section))]
  if (room.position >= section.minimum || section.thin === 'ask') return { choices, mayStandLater: false }

  const reason = `the section has ${room.position} and needs ${section.minimum}: dropped this time, and its articles stay pending`
  return {
    choices: choices.map((choice) =>
      choice.position === null ? choice : passed(choice.article, section.name, reason),
    ),
    mayStandLater: section.thin === 'drop',
  }
}

/** What counts already: the sections before, and the places that are kept, here and in later ones. */
function quotasOf(section: Section, kept: Article[], { chosen, kept: keptInAll, digest }: Filling): Quota[] {
  const edition = new Quota(digest.atMost, 'the edition')
  const articles = new Map([...chosen, ...keptInAll].map((article) => [article.id, article]))
  for (const article of articles.values()) if (!article.letter) edition.count(article)
  const own = Quota.of(section)
  for (const article of kept) own.count(article)
  return [own, edition]
}

type Room = {
  section: Section
  quotas: Quota[]
  sources: Map<string, string[]>
  now: Instant
  /** The last place that is taken, and how many of them by letters. */
  position: number
  letters: number
  /** Whose places are kept, and not taken yet. */
  kept: Set<string>
}

/** Takes what the rules allow, in order, until the section holds `most`. */
function pick(placed: Placed[], room: Room, most: number): Choice[] {
  const { section, sources } = room
  return placed.map(({ article, words }, index) => {
    const against = room.kept.delete(article.id) ? null : refused(article, room, most)
    if (against !== null) return passed(article, section.name, against)
    room.position += 1
    const others = sources.get(article.id)
    const reason = `number ${index + 1} of ${placed.length} pending, ${words}${others ? `; also in ${others.join(', ')}` : ''}`
    return { article, section: section.name, position: room.position, reason }
  })
}

/** Why there is no place for it; null: it is counted, and has one. An editor chose the letters, so only room counts there. */
function refused(article: Article, room: Room, most: number): string | null {
  if (article.letter) return full(room, most, 'letters stand before it')
  const { section, quotas, now } = room
  const standing =
    room.letters > 0 ? 'letters and articles stand before it' : `${newer(section)}articles stand before it`
  const against =
    stale(article, section, now) ??
    full(room, most, standing) ??
    quotas.map((one) => one.exceededBy(article)).find((reason) => reason !== null)
  if (against != null) return against
  for (const quota of quotas) quota.count(article)
  return null
}

function newer({ order }: Section): string {
  return order === 'newest' ? 'newer ' : ''
}

function full({ position, kept }: Room, most: number, standing: string): string | null {
  if (position + kept.size < most) return null
  const places = kept.size === 1 ? 'one place is kept by a rule' : `${kept.size} places are kept by rules`
  if (position === 0 && kept.size > 0) return `the section is full: ${places}`
  return `the section is full: ${position} ${standing}${kept.size > 0 ? `, and ${places}` : ''}`
}

function asFiller(choice: Choice, section: Section): Choice {
  const reason =
    choice.position === null
      ? `the section ${section.name} is not short: its spare feed is not needed`
      : `fills the section up: ${choice.reason}`
  return { ...choice, reason }
}

export function passed(article: Article, section: string, reason: string): Choice {
  return { article, section, position: null, reason }
}
