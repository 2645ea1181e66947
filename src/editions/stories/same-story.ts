import { runToEnd, type Steps } from '../../runtime/cooperative.ts'
import { isFrontPage } from '../../store/articles/canonical-address.ts'
import { CandidateIndex } from './candidates.ts'
import { globalGuid } from './global-guid.ts'
import { judge, maxZoneErrorMs, type ReadStory, readStory } from './judge.ts'
import { type Story, storyTime, timeApartMs, wereShownTogether } from './story.ts'
import { areTitlesAlike, TitleIndex } from './titles.ts'

/** Two articles of one story. `apart`: milliseconds between them; null: they have the same address or guid. */
export type Pair = { one: Story; other: Story; apart: number | null }

/** `same` is in the order of joining; `possible` pairs are printed both, the nearest in time first. */
export type FoundPairs = { same: Pair[]; possible: Pair[] }

/** Maximum number of articles compared at one address: the last ones. */
const maxAtAddress = 50
/** Maximum number of articles that are compared with one by text and headline. */
const maxCandidates = 100

/**
 * The pairs of a fresh and any other article with the same address or guid, or with nearly the same text or the same
 * headline. The result does not depend on the input order.
 */
export function findPairsSync(fresh: Story[], known: Story[]): FoundPairs {
  return runToEnd(findPairs(fresh, known))
}

/** Like `findPairsSync`, in steps of one comparison each, for long lists from untrusted feeds. */
export function* findPairs(fresh: Story[], known: Story[]): Steps<FoundPairs> {
  const ours = sortById(fresh)
  const isFresh = new Set(fresh.map(({ id }) => id))
  const all = sortById([...known.filter(({ id }) => !isFresh.has(id)), ...fresh])
  const atOneAddress = yield* sameAddressPairs(ours, all)
  const ofOneGuid = yield* sameGuidPairs(ours, all)
  const judged = yield* judgedPairs(ours, all)
  return { same: [...atOneAddress, ...ofOneGuid, ...judged.same], possible: judged.possible }
}

/** Sorts by id, independent of the order in the store. */
export function sortById(stories: Story[]): Story[] {
  return stories.toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** Pairs with the same address, except front pages and addresses that one feed uses for several articles. */
function* sameAddressPairs(fresh: Story[], all: Story[]): Steps<Pair[]> {
  const atAddress = Map.groupBy(all, ({ canonical }) => canonical)
  const shared = new Map<string, boolean>()
  const pairs: Pair[] = []
  for (const one of fresh) {
    yield
    const there = (atAddress.get(one.canonical) ?? []).slice(-maxAtAddress)
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

/** Pairs of different feeds with the same globally unique guid. */
function* sameGuidPairs(fresh: Story[], all: Story[]): Steps<Pair[]> {
  const byGuid = new Map<string, Story[]>()
  for (const one of all) {
    yield
    const guid = globalGuid(one.identity)
    if (guid === null) continue
    const same = byGuid.get(guid)
    if (same) same.push(one)
    else byGuid.set(guid, [one])
  }
  return fresh.flatMap((one) => {
    const same = byGuid.get(globalGuid(one.identity) ?? '') ?? []
    return same
      .slice(-maxAtAddress)
      .flatMap((other) => (other.feedUrl === one.feedUrl ? [] : [{ one, other, apart: null }]))
  })
}

/** Pairs by text and headline, and those that are not proven. */
function* judgedPairs(fresh: Story[], all: Story[]): Steps<FoundPairs> {
  const read = new Map<Story, ReadStory>()
  for (const one of all) {
    yield
    read.set(one, readStory(one))
  }
  yield* markStanding([...read.values()])
  const found: FoundPairs = { same: [], possible: [] }
  for (const [one, candidates] of yield* candidatesOf(fresh, all, read))
    for (const [other, isAlike] of candidates) {
      yield
      if (one.story.canonical !== other.story.canonical && wereShownTogether(one.story, other.story)) continue
      const verdict = judge(one, other, isAlike)
      if (verdict === 'different') continue
      found[verdict].push({ one: one.story, other: other.story, apart: timeApartMs(one.story, other.story) })
    }
  return { same: found.same.toSorted(compareNearest), possible: found.possible.toSorted(compareNearest) }
}

/**
 * The stories that each fresh one is compared with: those with a headline or some words of text in common, and those with
 * a similar title (`true`).
 */
function* candidatesOf(
  fresh: Story[],
  all: Story[],
  read: Map<Story, ReadStory>,
): Steps<Map<ReadStory, [ReadStory, boolean][]>> {
  const freshRead = fresh.flatMap((one) => read.get(one) ?? [])
  const index = yield* CandidateIndex.build([...read.values()], freshRead)
  const titles = yield* TitleIndex.buildInSteps(all, (story) => Date.parse(storyTime(story)))
  const found = new Map<ReadStory, [ReadStory, boolean][]>()
  for (const one of freshRead) {
    yield
    const alike = yield* titles.findAlike(one.story)
    const candidates = new Map([...index.find(one)].map((other) => [other, false]))
    for (const other of alike.flatMap((story) => read.get(story) ?? [])) candidates.set(other, true)
    found.set(one, [...candidates].slice(0, maxCandidates))
  }
  return found
}

/** Marks headlines that one feed used for articles of different days: they stand over a column. */
function* markStanding(stories: ReadStory[]): Steps<void> {
  const byKey = new Map<string, Story>()
  const standing = new Set<string>()
  for (const { headline, story } of stories) {
    yield
    const key = `${headline.key} ${story.feedUrl}`
    const first = byKey.get(key)
    if (!first) byKey.set(key, story)
    else if (story.canonical !== first.canonical && timeApartMs(story, first) > maxZoneErrorMs)
      standing.add(headline.key)
  }
  for (const { headline } of stories) if (standing.has(headline.key)) headline.isStanding = true
}

function compareNearest(a: Pair, b: Pair): number {
  return (a.apart ?? 0) - (b.apart ?? 0) || (pairKey(a) < pairKey(b) ? -1 : 1)
}

function pairKey({ one, other }: Pair): string {
  return `${one.id} ${other.id}`
}
