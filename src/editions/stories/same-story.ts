import { runToEnd, type Steps } from '../../runtime/cooperative.ts'
import { isFrontPage, minTitleWords } from '../../store/articles/canonical-address.ts'
import { trustedDate } from '../../store/articles/forgotten.ts'
import { addMs, day, hour, type Instant } from '../../time/clock.ts'
import { areTitlesAlike, countTitleWords, TitleIndex } from './titles.ts'

/** The fields of an article that identify its story. */
export type Story = {
  id: string
  feedUrl: string
  canonical: string
  title: string
  publishedAt: Instant | null
  seenAt: Instant
  shownAt: Instant
  /** The id of the first article of the story, as found earlier; null: this article. */
  sameAs: string | null
  /** The id of an article of which an editor said that this is not a copy; null: none. */
  unlike: string | null
}

const titleWindowMs = 7 * day
/** Maximum difference between two dates of one article because of a wrong time zone. */
const maxZoneErrorMs = 14 * hour
/** A story whose first article was seen longer ago than this gets no more articles by title alone. */
const maxGroupAgeMs = 28 * day
/** Maximum number of articles compared at one address, or of one feed in one story: the last ones. */
const maxCopies = 50

export type Pair = {
  one: Story
  other: Story /** Milliseconds between the two articles; null: same address. */
  apart: number | null
}

/**
 * The pairs of a fresh and any other article with the same canonical address, or with nearly the same title within
 * seven days. The order is the order of joining and does not depend on the input order.
 */
export function findSamePairsSync(fresh: Story[], known: Story[]): Pair[] {
  return runToEnd(findSamePairs(fresh, known))
}

/** Like `findSamePairsSync`, in steps of one comparison each, for long lists from untrusted feeds. */
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

/** Whether one feed contained both articles at the same time: for their publisher they are different. */
export function wereShownTogether(one: Story, other: Story): boolean {
  return one.feedUrl === other.feedUrl && one.shownAt >= other.seenAt && other.shownAt >= one.seenAt
}

/**
 * Time between two articles in milliseconds, 0 if they overlap. An article without a date covers the time in which its
 * feed contained it, because a site that moves keeps its articles.
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

/** Sorts by id, independent of the order in the store. */
function sortById(stories: Story[]): Story[] {
  return stories.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** Pairs with the same address, except front pages and addresses that one feed uses for several articles. */
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

/** Whether one feed contained two articles with different titles at this address at once. */
function* sharesAddress(there: Story[]): Steps<boolean> {
  for (const [index, one] of there.entries())
    for (const other of there.slice(index + 1)) {
      yield
      if (wereShownTogether(one, other) && !areTitlesAlike(one.title, other.title)) return true
    }
  return false
}

/** Pairs with nearly the same title within the window, the nearest in time first. */
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

/**
 * Copies of one story, by feed URL. `firstSeenAt`: when the first copy was seen; `unlike`: ids of articles that are not
 * copies.
 */
type StoryGroup = { members: Map<string, Story[]>; unlike: Set<string>; size: number; firstSeenAt: Instant }

/**
 * Groups of copies. Two articles that one feed contains at once under two addresses are never joined, not even through
 * a third.
 */
export class StoryGroups {
  readonly #of = new Map<string, StoryGroup>()
  readonly #stories: Story[]

  /** Starts with the groups found earlier. */
  constructor(stories: Story[]) {
    this.#stories = sortById(stories)
    for (const story of this.#stories) this.#of.set(story.id, newGroup(story))
    for (const { id, sameAs } of this.#stories) this.#merge(this.#of.get(id), this.#of.get(sameAs ?? ''))
  }

  /** Joins each pair unless an editor or the publisher says that they differ, or a similar title is too far apart. */
  join(pairs: Pair[]): void {
    runToEnd(this.joinInSteps(pairs))
  }

  /** Like `join`, in steps of one pair each. */
  *joinInSteps(pairs: Pair[]): Steps<void> {
    for (const { one, other, apart } of pairs) {
      yield
      const left = this.#of.get(one.id)
      const right = this.#of.get(other.id)
      if (!left || !right || left === right || this.#areTwo(left, right)) continue
      if (apart === null || apart <= maxZoneErrorMs || !isFarApart(left, right)) this.#merge(left, right)
    }
  }

  /** Stories that were separate and are now joined: `was` is the old article id of the story, `is` the new one. */
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

  /** Whether an editor or the publisher says that the stories differ. */
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

/** True if the newer group is probably the next of a series with a fixed title. */
function isFarApart(left: StoryGroup, right: StoryGroup): boolean {
  const [first, second] = [left.firstSeenAt, right.firstSeenAt].sort() as [Instant, Instant]
  return second > addMs(first, maxGroupAgeMs)
}
