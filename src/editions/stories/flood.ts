import { runToEnd, type Steps } from '../../runtime/cooperative.ts'
import { isFrontPage, titleKey } from '../../store/articles/canonical-address.ts'
import type { Reason } from '../../store/events/reason.ts'
import { addMs, day, msBetween } from '../../time/clock.ts'
import { type Story, storyTime, timeApartMs, wereShownTogether } from './same-story.ts'
import { areTitlesAlike, TitleIndex } from './titles.ts'

export type FloodRule = { known: number; times: number }

/** What has to wait for an editor: the article, and the one that it seems to be; null: none. */
export type Flood = { reason: Reason; quarantined: Map<string, string | null> }

const volumeWindowMs = 28 * day
/** A site that moves or re-issues its guids keeps its dates, more or less; two nearly equal titles further apart are two. */
const titleWindowMs = 7 * day
/** Of many articles with one title so many are looked at: the last that were seen. */
const maxTitled = 50

/** Whether so few new articles may be a storm at all: then what the feed showed before need not be looked at. */
export function mayBeFlood(count: number, rule: FloodRule): boolean {
  return count > Math.min(rule.known, rule.times)
}

/**
 * Looks at what one refresh of a feed brought. More than `known` of it under addresses or titles that this feed had
 * before, or more than `times` its usual volume: something happened to the feed, and not in the world.
 */
export function findFloodSync(batch: Story[], known: Story[], rule: FloodRule): Flood | null {
  return runToEnd(findFlood(batch, known, rule))
}

/** The same in steps of one comparison each. `forgotten` has the title keys of articles that the feed had, and that are forgotten. */
export function* findFlood(
  batch: Story[],
  known: Story[],
  rule: FloodRule,
  forgotten: ReadonlySet<string> = new Set(),
): Steps<Flood | null> {
  const history = yield* FeedHistory.of(known)
  const matches = new Map<string, string | null>()
  for (const story of batch) {
    yield
    const match = yield* history.find(story)
    if (match) matches.set(story.id, match.id)
    else if (forgotten.has(titleKey(story.title)) && !history.hasTitle(story)) matches.set(story.id, null)
  }
  const unmatched = batch.filter(({ id }) => !matches.has(id))
  const usualCount = usualVolume(batch, known)
  if (usualCount !== null && unmatched.length > rule.times * usualCount) {
    const reason: Reason = { code: 'flood', count: batch.length, usual: Math.round(usualCount * 10) / 10 }
    return { reason, quarantined: new Map(batch.map(({ id }) => [id, matches.get(id) ?? null])) }
  }
  if (matches.size <= rule.known) return null
  return { reason: knownArticlesReason(matches.size), quarantined: matches }
}

/** What an editor is asked about articles that seem to be known. */
export function knownArticlesReason(count: number): Reason {
  return { code: 'known-articles', count }
}

type StoryText = Pick<Story, 'canonical' | 'title'>

/** Whether an article is beyond doubt the one that it seems to be: the site gave it another guid, and no more. */
export function isCertainDuplicate(one: StoryText, other: StoryText): boolean {
  if (one.canonical !== other.canonical || isFrontPage(one.canonical)) return false
  return titleKey(one.title) === titleKey(other.title) || areTitlesAlike(one.title, other.title)
}

/** What a feed had before, by address and by title. */
class FeedHistory {
  readonly #byAddress: Map<string, Story[]>
  readonly #byTitle = new Map<string, Story[]>()
  readonly #known: Story[]
  /** The one story at each address that was looked for. */
  readonly #onlyAt = new Map<string, Story | undefined>()
  #titles: TitleIndex<Story> | undefined

  private constructor(known: Story[]) {
    this.#byAddress = Map.groupBy(known, ({ canonical }) => canonical)
    this.#known = known
  }

  static *of(known: Story[]): Steps<FeedHistory> {
    const past = new FeedHistory(known)
    for (const story of known) {
      const key = titleKey(story.title)
      const titled = past.#byTitle.get(key)
      if (titled) titled.push(story)
      else past.#byTitle.set(key, [story])
      yield
    }
    return past
  }

  /** The one article with this address or this title. A title or address that several stories bear tells nothing. */
  *find(story: Story): Steps<Story | undefined> {
    const notBeside = (one: Story) => !wereShownTogether(one, story)
    const titled = (this.#byTitle.get(titleKey(story.title)) ?? []).slice(-maxTitled)
    return (
      this.#at(story.canonical) ??
      onlyStory(titled.filter(notBeside)) ??
      onlyStory((yield* this.#near(story)).filter(notBeside))
    )
  }

  hasTitle({ title }: Story): boolean {
    return this.#byTitle.has(titleKey(title))
  }

  #at(canonical: string): Story | undefined {
    if (isFrontPage(canonical)) return undefined
    if (!this.#onlyAt.has(canonical)) this.#onlyAt.set(canonical, onlyStory(this.#byAddress.get(canonical) ?? []))
    return this.#onlyAt.get(canonical)
  }

  *#near(story: Story): Steps<Story[]> {
    this.#titles ??= yield* TitleIndex.buildInSteps(this.#known, (one) => Date.parse(storyTime(one)))
    return (yield* this.#titles.findAlike(story)).filter((one) => timeApartMs(one, story) <= titleWindowMs)
  }
}

function onlyStory(stories: Story[]): Story | undefined {
  if (new Set(stories.map(({ id, sameAs }) => sameAs ?? id)).size !== 1) return undefined
  return stories.toSorted((a, b) => (a.id < b.id ? -1 : 1))[0]
}

/** How many are to be expected after as long as the feed was not read; null until we have known it for a week. */
function usualVolume(batch: Story[], known: Story[]): number | null {
  const now = batch[0]?.seenAt ?? ''
  const firstSeen = known.reduce((first, { seenAt }) => (seenAt < first ? seenAt : first), now)
  const start = addMs(now, -volumeWindowMs) > firstSeen ? addMs(now, -volumeWindowMs) : firstSeen
  const days = msBetween(start, now) / day
  if (days < 7) return null
  const daily = known.filter(({ seenAt }) => seenAt > start && seenAt !== firstSeen).length / days
  const lastShown = known.reduce((last, { shownAt }) => (shownAt < now && shownAt > last ? shownAt : last), firstSeen)
  return Math.max(1, daily * Math.max(1, msBetween(lastShown, now) / day))
}
