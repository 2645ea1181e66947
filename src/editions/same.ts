import { day, type Instant, later } from '../clock.ts'
import { isFrontPage, titleWords } from '../store/canonical.ts'

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
  return dice(wordsOf(one), wordsOf(other)) >= likeness
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

type Worded = { story: Story; words: Set<string>; numbers: string; time: number }

/** Pairs with nearly the same title within the window, the nearest in time first; of two that are settled nothing is left to say. */
function sameTitle(stories: Story[]): [Story, Story][] {
  const worded = stories.map(toWorded).filter(({ words }) => words.size >= fewestWords)
  const index = new Map<string, Worded[]>()
  for (const one of worded) {
    for (const word of tellingWords(one.words)) {
      const listed = index.get(word)
      if (listed) listed.push(one)
      else index.set(word, [one])
    }
  }
  const pairs: { pair: [Story, Story]; apart: number }[] = []
  for (const one of worded.filter(({ story }) => !story.settled)) {
    for (const other of nearBy(one, index)) {
      const apart = Math.abs(one.time - other.time)
      if (one === other || apart > window || dice(one, other) < likeness) continue
      if (!shownTogether(one.story, other.story) || one.story.canonical === other.story.canonical)
        pairs.push({ pair: [one.story, other.story], apart })
    }
  }
  return pairs.toSorted((a, b) => a.apart - b.apart).map(({ pair }) => pair)
}

function toWorded(story: Story): Worded {
  return { story, ...wordsOf(story.title), time: Date.parse(storyTime(story)) }
}

function wordsOf(title: string): Pick<Worded, 'words' | 'numbers'> {
  const words = titleWords(title)
  const numbers = words.filter((word) => /\d/.test(word))
  return { words: new Set(words), numbers: numbers.join(' ') }
}

function nearBy({ words }: Worded, index: Map<string, Worded[]>): Set<Worded> {
  return new Set(tellingWords(words).flatMap((word) => index.get(word) ?? []))
}

/** Two sets that share 0.9 of their words have one of these in common (prefix filter): so few pairs are compared. */
function tellingWords(words: Set<string>): string[] {
  const sorted = [...words].sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
  return sorted.slice(0, words.size - Math.ceil((likeness / (2 - likeness)) * words.size) + 1)
}

type Words = Pick<Worded, 'words' | 'numbers'>

function dice(one: Words, other: Words): number {
  if (one.words.size === 0 || other.words.size === 0 || one.numbers !== other.numbers) return 0
  return (2 * one.words.intersection(other.words).size) / (one.words.size + other.words.size)
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
