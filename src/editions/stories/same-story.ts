import { runToEnd, type Steps } from '../../runtime/cooperative.ts'
import { isFrontPage, minTitleWords } from '../../store/articles/canonical-address.ts'
import { trustedDate } from '../../store/articles/forgotten.ts'
import { addMs, day, hour, type Instant } from '../../time/clock.ts'
import { areTitlesAlike, countTitleWords, TitleIndex } from './titles.ts'

/** An article, as far as it tells one story from another. */
export type Story = {
  id: string
  feedUrl: string
  canonical: string
  title: string
  publishedAt: Instant | null
  seenAt: Instant
  shownAt: Instant
  /** The article that told the story first, as an earlier look found; null: this one. */
  sameAs: string | null
  /** An editor said that it is another story than that of this article. */
  unlike: string | null
}

const titleWindowMs = 7 * day
/** So much two dates of one article may differ by a wrong time zone. */
const maxZoneErrorMs = 14 * hour
/** A story of which the first article was seen longer ago takes in no more for its title alone. */
const maxGroupAgeMs = 28 * day
/** Of many articles at one address, or of one feed in one story, so many are looked at: the last that were seen. */
const maxCopies = 50

export type Pair = {
  one: Story
  other: Story /** Milliseconds between the two; null: they have one address. */
  apart: number | null
}

/**
 * The pairs that tell the same story, of those that are `fresh` with all that is known: the same canonical address, or a
 * title that is nearly the same within seven days. In the order in which they are to be joined, whatever the order given.
 */
export function findSamePairsSync(fresh: Story[], known: Story[]): Pair[] {
  return runToEnd(findSamePairs(fresh, known))
}

/** The same in steps of one comparison each, for lists that strangers make long. */
export function* findSamePairs(fresh: Story[], known: Story[]): Steps<Pair[]> {
  const ours = sortById(fresh)
  const isFresh = new Set(fresh.map(({ id }) => id))
  const all = sortById([...known.filter(({ id }) => !isFresh.has(id)), ...fresh])
  const atOneAddress = yield* sameAddressPairs(ours, all)
  return [...atOneAddress, ...(yield* sameTitlePairs(ours, all))]
}

export function storyTime(story: Pick<Story, 'publishedAt' | 'seenAt'>): Instant {
  return trustedDate(story) ?? story.seenAt
}

/** Shown by one feed at the same time, the two are two for their publisher. */
export function wereShownTogether(one: Story, other: Story): boolean {
  return one.feedUrl === other.feedUrl && one.shownAt >= other.seenAt && other.shownAt >= one.seenAt
}

/**
 * How far two articles lie apart in time, in milliseconds. One without a date is as old as the time through which its
 * feed showed it: when a site moves, what was there on the day before is there on the day after.
 */
export function timeApartMs(one: Story, other: Story): number {
  const [first, second] = [shownSpan(one), shownSpan(other)]
  return Math.max(0, first.from - second.to, second.from - first.to)
}

function shownSpan(story: Story): { from: number; to: number } {
  const date = trustedDate(story)
  return date === null
    ? { from: Date.parse(story.seenAt), to: Date.parse(story.shownAt) }
    : { from: Date.parse(date), to: Date.parse(date) }
}

/** The order that does not depend on that of the store. */
function sortById(stories: Story[]): Story[] {
  return stories.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** An address that one feed gives to several pieces, or a front page, says nothing. */
function* sameAddressPairs(fresh: Story[], all: Story[]): Steps<Pair[]> {
  const atAddress = Map.groupBy(all, ({ canonical }) => canonical)
  const shared = new Map<string, boolean>()
  const pairs: Pair[] = []
  for (const one of fresh) {
    yield
    const there = (atAddress.get(one.canonical) ?? []).slice(-maxCopies)
    if (there.length < 2 || isFrontPage(one.canonical)) continue
    const isShared = shared.get(one.canonical) ?? (yield* sharesAddress(there))
    shared.set(one.canonical, isShared)
    if (!isShared) for (const other of there) if (other !== one) pairs.push({ one, other, apart: null })
  }
  return pairs
}

/** Whether one feed shows two pieces at once at this address, whose titles say different things. */
function* sharesAddress(there: Story[]): Steps<boolean> {
  for (const [index, one] of there.entries())
    for (const other of there.slice(index + 1)) {
      yield
      if (wereShownTogether(one, other) && !areTitlesAlike(one.title, other.title)) return true
    }
  return false
}

/** Those with nearly the same title within the window, the nearest in time first. */
function* sameTitlePairs(fresh: Story[], all: Story[]): Steps<Pair[]> {
  const long = fresh.filter(({ title }) => countTitleWords(title) >= minTitleWords)
  if (long.length === 0) return []
  const titles = yield* TitleIndex.buildInSteps(all, (story) => Date.parse(storyTime(story)))
  const pairs: (Pair & { apart: number })[] = []
  for (const one of long) {
    for (const other of yield* titles.findAlike(one)) {
      const apart = timeApartMs(one, other)
      if (apart > titleWindowMs || (wereShownTogether(one, other) && one.canonical !== other.canonical)) continue
      pairs.push({ one, other, apart })
    }
  }
  return pairs.toSorted((a, b) => a.apart - b.apart || (pairKey(a) < pairKey(b) ? -1 : 1))
}

function pairKey({ one, other }: Pair): string {
  return `${one.id} ${other.id}`
}

/** Copies of one story, by feed. `firstSeenAt` is when the first of them was seen; `unlike` are stories that it is not. */
type StoryGroup = { members: Map<string, Story[]>; unlike: Set<string>; size: number; firstSeenAt: Instant }

/** Stories with all their copies. Two that one feed shows side by side under two addresses never come together by way of a third. */
export class StoryGroups {
  readonly #of = new Map<string, StoryGroup>()
  readonly #stories: Story[]

  /** As earlier looks have joined them. */
  constructor(stories: Story[]) {
    this.#stories = sortById(stories)
    for (const story of this.#stories) this.#of.set(story.id, newGroup(story))
    for (const { id, sameAs } of this.#stories) this.#merge(this.#of.get(id), this.#of.get(sameAs ?? ''))
  }

  /** Joins each pair, as far as nothing speaks against it. */
  join(pairs: Pair[]): void {
    runToEnd(this.joinInSteps(pairs))
  }

  /** The same in steps of one pair each. */
  *joinInSteps(pairs: Pair[]): Steps<void> {
    for (const { one, other, apart } of pairs) {
      yield
      const left = this.#of.get(one.id)
      const right = this.#of.get(other.id)
      if (!left || !right || left === right || this.#areTwo(left, right)) continue
      if (apart === null || apart <= maxZoneErrorMs || !isFarApart(left, right)) this.#merge(left, right)
    }
  }

  /** The stories that told apart before, and are one: each with the article by which it is known from now on. */
  joined(): { was: string; is: string }[] {
    const rootsOf = new Map<StoryGroup, Set<string>>()
    for (const { id, sameAs } of this.#stories) {
      const group = this.#of.get(id) as StoryGroup
      const roots = rootsOf.get(group)
      if (roots) roots.add(sameAs ?? id)
      else rootsOf.set(group, new Set([sameAs ?? id]))
    }
    return [...rootsOf.values()].flatMap((roots) => {
      const [is = '', ...others] = [...roots].sort()
      return others.map((was) => ({ was, is }))
    })
  }

  #merge(left: StoryGroup | undefined, right: StoryGroup | undefined): void {
    if (!left || !right || left === right) return
    const [into, from] = left.size >= right.size ? [left, right] : [right, left]
    for (const [feedUrl, stories] of from.members) {
      const ours = into.members.get(feedUrl)
      if (ours) for (const story of stories) ours.push(story)
      else into.members.set(feedUrl, stories)
      for (const { id } of stories) this.#of.set(id, into)
    }
    for (const id of from.unlike) into.unlike.add(id)
    into.size += from.size
    if (from.firstSeenAt < into.firstSeenAt) into.firstSeenAt = from.firstSeenAt
  }

  /** An editor said so, or their publisher does. */
  #areTwo(left: StoryGroup, right: StoryGroup): boolean {
    return this.#saysUnlike(left, right) || this.#saysUnlike(right, left) || wereGroupsShownTogether(left, right)
  }

  #saysUnlike({ unlike }: StoryGroup, other: StoryGroup): boolean {
    return [...unlike].some((id) => this.#of.get(id) === other)
  }
}

function newGroup(story: Story): StoryGroup {
  const { feedUrl, seenAt, unlike } = story
  return {
    members: new Map([[feedUrl, [story]]]),
    unlike: new Set(unlike === null ? [] : [unlike]),
    size: 1,
    firstSeenAt: seenAt,
  }
}

function wereGroupsShownTogether(left: StoryGroup, right: StoryGroup): boolean {
  const [some, others] = left.members.size <= right.members.size ? [left, right] : [right, left]
  return [...some.members].some(([feedUrl, ours]) => {
    const theirs = (others.members.get(feedUrl) ?? []).slice(-maxCopies)
    return ours
      .slice(-maxCopies)
      .some((a) => theirs.some((b) => a.canonical !== b.canonical && wereShownTogether(a, b)))
  })
}

/** Then it is rather the next of a series that always has the same title. */
function isFarApart(left: StoryGroup, right: StoryGroup): boolean {
  const [first, second] = [left.firstSeenAt, right.firstSeenAt].sort() as [Instant, Instant]
  return second > addMs(first, maxGroupAgeMs)
}
