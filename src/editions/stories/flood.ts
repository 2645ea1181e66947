import { runToEnd, type Steps } from '../../runtime/cooperative.ts'
import { isFrontPage, titleKey } from '../../store/articles/canonical-address.ts'
import type { Reason } from '../../store/events/reason.ts'
import { addMs, day, msBetween } from '../../time/clock.ts'
import { type Story, storyTime, timeApartMs, wereShownTogether } from './story.ts'
import { areTitlesAlike, TitleIndex } from './titles.ts'

export type FloodRule = { known: number; times: number }

/** Articles to quarantine: article id to the id of the article that it seems to repeat, or null. */
export type Flood = { reason: Reason; quarantined: Map<string, string | null> }

const volumeWindowMs = 28 * day
/**
 * A site that moves or changes its guids roughly keeps its dates; similar titles further apart are different articles.
 */
const titleWindowMs = 7 * day
/** Maximum number of articles with one title that are compared: the last ones seen. */
const maxTitled = 50

/** Whether this number of new articles can be a flood; if not, the history of the feed is not needed. */
export function mayBeFlood(count: number, rule: FloodRule): boolean {
  return count > Math.min(rule.known, rule.times)
}

/**
 * Finds a flood in one refresh of a feed: more than `known` articles have an address or title that the feed had before,
 * or there are more than `times` the usual number. Certain duplicates do not count, as they need no decision. Null: no
 * flood.
 */
export function findFloodSync(batch: Story[], known: Story[], rule: FloodRule): Flood | null {
  return runToEnd(findFlood(batch, known, rule))
}

/** Like `findFloodSync`, in steps of one comparison each. `forgotten`: title keys of the feed's forgotten articles. */
export function* findFlood(
  batch: Story[],
  known: Story[],
  rule: FloodRule,
  forgotten: ReadonlySet<string> = new Set(),
): Steps<Flood | null> {
  const history = yield* FeedHistory.of(known)
  const matches = new Map<string, string | null>()
  const certain = new Set<string>()
  for (const story of batch) {
    yield
    const match = yield* history.find(story)
    if (match && isCertainDuplicate(story, match)) certain.add(story.id)
    else if (match) matches.set(story.id, match.id)
    else if (forgotten.has(titleKey(story.title)) && !history.hasTitle(story)) matches.set(story.id, null)
  }
  const unmatched = batch.filter(({ id }) => !matches.has(id) && !certain.has(id))
  const usualCount = usualVolume(batch, known)
  if (usualCount !== null && unmatched.length > rule.times * usualCount) {
    const reason: Reason = { code: 'flood', count: batch.length, usual: Math.round(usualCount * 10) / 10 }
    return { reason, quarantined: new Map(batch.map(({ id }) => [id, matches.get(id) ?? null])) }
  }
  if (matches.size <= rule.known) return null
  return { reason: knownArticlesReason(matches.size), quarantined: matches }
}

/** The reason for quarantined articles that seem to be known. */
export function knownArticlesReason(count: number): Reason {
  return { code: 'known-articles', count }
}

type StoryText = Pick<Story, 'canonical' | 'title'>

/**
 * Whether two articles are certainly the same under different guids: nearly the same title at the same address, which
 * is not a front page.
 */
export function isCertainDuplicate(one: StoryText, other: StoryText): boolean {
  if (one.canonical !== other.canonical || isFrontPage(one.canonical)) return false
  return titleKey(one.title) === titleKey(other.title) || areTitlesAlike(one.title, other.title)
}

/** The earlier articles of a feed, by address and by title. */
class FeedHistory {
  readonly #byAddress: Map<string, Story[]>
  readonly #byTitle = new Map<string, Story[]>()
  readonly #known: Story[]
  /** The only story at each address, as a cache; undefined: none or several. */
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

  /**
   * The only earlier story with this address, title or a similar title. An address or title shared by several stories
   * is ignored.
   */
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

/** The expected number of articles since the last refresh, at least 1; null in the first week of a feed. */
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
