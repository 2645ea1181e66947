import { between, day, type Instant, later } from '../clock.ts'
import { titleWords } from '../store/canonical.ts'

/** What tells one story from another. `settled`: an edition holds it, or it is backlog; `own`: an editor said so. */
export type Story = {
  id: string
  feedUrl: string
  canonical: string
  title: string
  publishedAt: Instant | null
  seenAt: Instant
  shownAt: Instant
  settled: boolean
  own: boolean
  /** The link of an earlier look. */
  sameAs: string | null
}

const window = 7 * day
const likeness = 0.9
/** "Morning briefing" is the title of many stories. */
const fewestWords = 4

/**
 * Finds what tells the same story: an earlier link, the same canonical address, or a title that is nearly the same
 * within seven days. Returns, for each pending story, the id of the one that stands for it; null: it stands for itself.
 * What is settled stands before all, then the feed that the digest lists first, then what was seen last.
 */
export function sameStories(stories: Story[], feeds: string[]): Map<string, string | null> {
  const groups = new Groups(stories)
  const byId = new Map(stories.map((story) => [story.id, story]))
  for (const story of stories) groups.join(story, byId.get(story.sameAs ?? ''))
  for (const [one, other] of sameAddress(stories)) groups.join(one, other)
  for (const [one, other] of sameTitle(stories)) groups.join(one, other)
  return new Map(
    groups.all().flatMap((group) => {
      const first = group.toSorted((a, b) => preferred(a, b, feeds))[0]
      return group
        .filter((story) => !story.settled)
        .map((story): [string, string | null] => [story.id, story === first ? null : (first?.id ?? null)])
    }),
  )
}

/** Whether two titles say nearly the same. Numbers have to agree: part 1 is not part 2. */
export function alike(one: string, other: string): boolean {
  return dice(new Set(titleWords(one)), new Set(titleWords(other))) >= likeness
}

/** A date of more than a day ahead of when we saw it is a mistake. */
export function storyTime({ publishedAt, seenAt }: Pick<Story, 'publishedAt' | 'seenAt'>): Instant {
  return publishedAt === null || publishedAt > later(seenAt, day) ? seenAt : publishedAt
}

/** Shown by one feed at the same time, the two are two for their publisher. */
export function shownTogether(one: Story, other: Story): boolean {
  return one.feedUrl === other.feedUrl && one.shownAt >= other.seenAt && other.shownAt >= one.seenAt
}

/** Stories by canonical address; an address that one feed gives to several pieces, or a front page, says nothing. */
function* sameAddress(stories: Story[]): Iterable<[Story, Story]> {
  for (const group of Map.groupBy(stories, (story) => story.canonical).values()) {
    if (group.length < 2 || isFrontPage(group[0]?.canonical ?? '') || group.some((one) => sharesAddress(one, group)))
      continue
    for (let index = 1; index < group.length; index++) yield [group[0] as Story, group[index] as Story]
  }
}

function sharesAddress(one: Story, group: Story[]): boolean {
  return group.some((other) => other !== one && shownTogether(one, other) && !alike(one.title, other.title))
}

export function isFrontPage(address: string): boolean {
  if (!URL.canParse(address)) return true
  const { pathname, search } = new URL(address)
  return pathname === '/' && search === ''
}

type Worded = { story: Story; words: Set<string>; time: Instant }

/** Pairs with nearly the same title within the window, the nearest in time first. */
function sameTitle(stories: Story[]): [Story, Story][] {
  const worded = stories.map((story) => ({ story, words: new Set(titleWords(story.title)), time: storyTime(story) }))
  const index = new Map<string, Worded[]>()
  const pairs: { pair: [Story, Story]; apart: number }[] = []
  for (const one of worded.filter(({ words }) => words.size >= fewestWords)) {
    for (const other of nearBy(one, index)) {
      const apart = Math.abs(between(one.time, other.time))
      if (apart > window || dice(one.words, other.words) < likeness) continue
      if (!shownTogether(one.story, other.story) || one.story.canonical === other.story.canonical)
        pairs.push({ pair: [one.story, other.story], apart })
    }
    for (const word of tellingWords(one.words)) index.set(word, [...(index.get(word) ?? []), one])
  }
  return pairs.toSorted((a, b) => a.apart - b.apart).map(({ pair }) => pair)
}

function nearBy({ words }: Worded, index: Map<string, Worded[]>): Set<Worded> {
  return new Set(tellingWords(words).flatMap((word) => index.get(word) ?? []))
}

/** Two sets that share 0.9 of their words have one of these in common (prefix filter): so few pairs are compared. */
function tellingWords(words: Set<string>): string[] {
  const sorted = [...words].sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
  return sorted.slice(0, words.size - Math.ceil((likeness / (2 - likeness)) * words.size) + 1)
}

function dice(one: Set<string>, other: Set<string>): number {
  if (one.size === 0 || other.size === 0 || numbersIn(one) !== numbersIn(other)) return 0
  return (2 * one.intersection(other).size) / (one.size + other.size)
}

function numbersIn(words: Set<string>): string {
  return [...words]
    .filter((word) => /\d/.test(word))
    .sort()
    .join(' ')
}

function preferred(a: Story, b: Story, feeds: string[]): number {
  if (a.settled !== b.settled) return a.settled ? -1 : 1
  const place = feeds.indexOf(a.feedUrl) - feeds.indexOf(b.feedUrl)
  if (place !== 0) return place
  if (a.seenAt !== b.seenAt) return a.seenAt > b.seenAt ? -1 : 1
  return a.id < b.id ? -1 : 1
}

/** Stories that are the same. Two that one feed shows side by side under two addresses never come together by way of a third. */
class Groups {
  readonly #of: Map<Story, Story[]>

  constructor(stories: Story[]) {
    this.#of = new Map(stories.map((story) => [story, [story]]))
  }

  join(one: Story, other: Story | undefined): void {
    const left = this.#of.get(one)
    const right = other && this.#of.get(other)
    if (!left || !right || left === right || [...left, ...right].some((story) => story.own)) return
    if (left.some((a) => right.some((b) => shownTogether(a, b) && a.canonical !== b.canonical))) return
    left.push(...right)
    for (const story of right) this.#of.set(story, left)
  }

  all(): Story[][] {
    return [...new Set(this.#of.values())]
  }
}
