import { runToEnd, type Steps } from '../../runtime/cooperative.ts'
import { addMs, day, type Instant } from '../../time/clock.ts'
import { areContradictory, judge, maxZoneErrorMs, type ReadStory, readStory } from './judge.ts'
import { type Pair, sortById } from './same-story.ts'
import { type Story, wereShownTogether } from './story.ts'

/** A story whose first article was seen longer ago than this gets no more articles by text or headline. */
const maxGroupAgeMs = 28 * day
/** Maximum number of articles of one feed in one story that are compared: the last ones. */
const maxCopies = 50
/** Maximum number of articles of each story that are compared before two stories are joined. */
const maxCompared = 10

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
  readonly #read = new Map<Story, ReadStory>()

  /** Starts with the groups found earlier. */
  constructor(stories: Story[]) {
    this.#stories = sortById(stories)
    for (const story of this.#stories) this.#of.set(story.id, newGroup(story))
    for (const { id, sameAs } of this.#stories) this.#merge(this.#of.get(id), this.#of.get(sameAs ?? ''))
  }

  /**
   * Joins each pair unless an editor or the publisher says that they differ. A text or headline does not join what is too
   * far apart, or what another article of the two stories contradicts.
   */
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
      if (apart === null) this.#merge(left, right)
      else if ((apart <= maxZoneErrorMs || !isFarApart(left, right)) && !this.#contradict(left, right))
        this.#merge(left, right)
    }
  }

  /** Whether the two articles are known to be one story or two. */
  isSettled({ one, other }: Pair): boolean {
    const [left, right] = [this.#of.get(one.id), this.#of.get(other.id)]
    return left !== undefined && right !== undefined && (left === right || this.#areTwo(left, right))
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

  /** Whether two articles of the stories contradict each other, so that a third cannot join them. */
  #contradict(left: StoryGroup, right: StoryGroup): boolean {
    const others = this.#newest(right)
    return this.#newest(left).some((a) => others.some((b) => areTwoOfFeed(a, b) || areContradictory(a, b)))
  }

  #newest({ members }: StoryGroup): ReadStory[] {
    return sortById([...members.values()].flat())
      .slice(-maxCompared)
      .map((story) => {
        const read = this.#read.get(story) ?? readStory(story)
        this.#read.set(story, read)
        return read
      })
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

/** One feed's two articles are one only if their own text says so. */
function areTwoOfFeed(one: ReadStory, other: ReadStory): boolean {
  if (one.story.feedUrl !== other.story.feedUrl || one.story.canonical === other.story.canonical) return false
  return judge(one, other) !== 'same'
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

/** True if the newer group is too far away for a text or headline to join it. */
function isFarApart(left: StoryGroup, right: StoryGroup): boolean {
  const [first, second] = [left.firstSeenAt, right.firstSeenAt].sort() as [Instant, Instant]
  return second > addMs(first, maxGroupAgeMs)
}
