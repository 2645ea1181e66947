import type { Article } from '../../store/articles/article.ts'
import type { Candidate } from '../../store/articles/articles.ts'
import { type Reason, withFurther } from '../../store/events/reason.ts'
import type { PendingLetter } from '../../store/letters/printing.ts'
import type { Instant } from '../../time/clock.ts'
import { type Digest, feedUrlsOf, type Section } from '../digest.ts'
import { type ArticleChoice, articleChoices, type Choice, chosenOnly, itemOf, passedOver } from './choice.ts'
import { newestCopies, otherSourcesIn, sameStoryReason, storyOf } from './copies.ts'
import { fillSection, type SectionInput } from './fill.ts'
import { exclusionReason, staleReason } from './filter.ts'
import { minimumFor, minimumsOf, minimumValues, reservedPlaces } from './minimums.ts'
import { isPinned, pinnedSection } from './pin.ts'
import { barredLetters, unplacedLetters } from './place-letters.ts'

/** The articles and letters that an edition may include; letters are in printing order. */
export type Pending = { articles: Candidate[]; letters: PendingLetter[] }

/**
 * Chooses the content of an edition: exactly one choice for each pending article and letter. An article goes to the first
 * section that lists its feed and accepts it, each story is printed once, and reasons name the `atLeast` rules that
 * added or displaced an article.
 */
export function select(pending: Pending, digest: Digest, now: Instant): Choice[] {
  const barred = barredChoices(pending.articles, digest)
  const barredIds = new Set(barred.map(({ article }) => article.id))
  const pinned = pending.articles.filter((article) => isPinned(article) && !barredIds.has(article.id))
  const { newest, older } = newestCopies(pending.articles.filter(({ id }) => !barredIds.has(id)))
  const others = [
    ...barred,
    ...older.map(({ article, newer }) => passedOver(article, homeSectionName(article, digest), sameStoryReason(newer))),
    ...barredLetters(pending.letters),
  ]
  const open = {
    articles: newest,
    letters: pending.letters.filter(({ retracted, decision }) => !retracted && !decision),
  }
  const sources = otherSourcesIn(pending.articles)
  const choose = (kept: Candidate[]) => [...chooseBySection(open, digest, { sources, kept, now }), ...others]
  const baseline = choose(pinned)
  if (minimumsOf(digest).length === 0) return baseline
  const kept = reservedPlaces(digest, baseline, newest, now)
  return kept.length === 0 ? baseline : withRuleReasons(baseline, choose([...pinned, ...kept]), digest)
}

/** Chooses from articles alone, without letters. */
export function selectArticles(articles: Candidate[], digest: Digest, now: Instant): ArticleChoice[] {
  return articleChoices(select({ articles, letters: [] }, digest, now))
}

type ChoiceInput = { sources(article: Candidate): string[]; kept: Candidate[]; now: Instant }

/** Fills the sections in order. `kept` articles have reserved places, as far as the rules allow. */
function chooseBySection(open: Pending, digest: Digest, { sources, kept, now }: ChoiceInput): Choice[] {
  const feeds = feedUrlsOf(digest)
  const selection = new Selection(open, kept)
  for (const section of digest.sections) {
    const { chosen } = selection
    const input = { ...selection.inputFor(section, now), chosen, kept, feeds, sources, digest, now }
    const { choices, mayStandLater } = fillSection(section, input)
    selection.record(section, choices, mayStandLater)
  }
  return selection.choices(digest)
}

/** The choices of the sections filled so far. */
class Selection {
  readonly #open: Pending
  /** Ids of items that later sections may not choose. */
  readonly #taken = new Set<string>()
  readonly #choices = new Map<string, Choice>()
  readonly #publishedCopies: Map<string, Candidate>
  readonly chosen: Candidate[] = []

  constructor(open: Pending, kept: Candidate[]) {
    this.#open = open
    this.#publishedCopies = new Map(kept.map((article) => [storyOf(article), article]))
  }

  /** The items that a section may choose from. Records articles that the section rejects as passed over. */
  inputFor(section: Section, now: Instant): Pick<SectionInput, 'candidates' | 'letters' | 'spare'> {
    const free = this.#open.articles.filter((article) => this.#isFree(article))
    const unpinned = free.filter((article) => !isPinned(article))
    const isAccepted = (article: Candidate) => this.#isAccepted(article, section, now)
    return {
      candidates: [
        ...free.filter((article) => pinnedSection(article) === section.name),
        ...unpinned.filter(({ feedUrl }) => section.feeds.includes(feedUrl)).filter(isAccepted),
      ],
      letters: this.#open.letters.filter(({ id }) => !this.#taken.has(id)),
      spare: unpinned.filter(({ feedUrl }) => feedUrl === section.backfill).filter(isAccepted),
    }
  }

  record(section: Section, choices: Choice[], mayStandLater: boolean): void {
    for (const choice of choices) {
      const { id } = itemOf(choice)
      this.#choices.delete(id) // the choice of the last section counts, in its order
      this.#choices.set(id, choice)
      const isFinal = choice.kind === 'article' && !mayStandLater && choice.article.feedUrl !== section.backfill
      if (choice.position !== null || isFinal) this.#taken.add(id)
    }
    for (const { article } of chosenOnly(articleChoices(choices))) {
      this.chosen.push(article)
      this.#publishedCopies.set(storyOf(article), article)
    }
  }

  /** One choice for each article and letter. */
  choices(digest: Digest): Choice[] {
    const unseen = this.#open.articles.filter(({ id }) => !this.#choices.has(id))
    const unplaced = unseen.map((article) => passedOver(article, homeSectionName(article, digest), noSectionReason))
    const letters = unplacedLetters(this.#open.letters.filter(({ id }) => !this.#choices.has(id)))
    return [...this.#choices.values(), ...unplaced, ...letters].map((choice) =>
      choice.kind === 'letter' ? choice : withPublishedCopy(choice, this.#publishedCopies.get(storyOf(choice.article))),
    )
  }

  #isFree(article: Candidate): boolean {
    return !this.#taken.has(article.id) && (this.#publishedCopies.get(storyOf(article)) ?? article) === article
  }

  #isAccepted(article: Candidate, section: Section, now: Instant): boolean {
    const reason = exclusionReason(article, section) ?? staleReason(article, section, now)
    if (reason !== null && !this.#choices.has(article.id))
      this.#choices.set(article.id, passedOver(article, section.name, reason))
    return reason === null
  }
}

/** Adds to a passed-over article's reason that another copy of its story is printed. */
function withPublishedCopy(choice: ArticleChoice, publishedCopy: Candidate | undefined): ArticleChoice {
  const { article, position, reason } = choice
  if (position !== null || publishedCopy === undefined || publishedCopy === article) return choice
  if (reason.code === 'same-story') return choice
  const same = sameStoryReason(publishedCopy)
  const isUnplaced = reason.code === noSectionReason.code
  return { ...choice, reason: isUnplaced ? same : withFurther(reason, same) }
}

const noSectionReason: Reason = { code: 'no-section' }

/** Adds the minimum rules to the reasons of the articles that they added, and of the items that these displaced. */
function withRuleReasons(baseline: Choice[], choices: Choice[], digest: Digest): Choice[] {
  const before = sectionsByItem(baseline)
  const after = sectionsByItem(choices)
  const added = articleChoices(choices).flatMap((choice) => {
    if (choice.position === null || before.has(choice.article.id)) return []
    const rule = minimumFor(choice.article, choice.section, digest)
    return rule ? [{ ...choice, rule: minimumValues(rule) }] : []
  })
  const displaced = choices.filter((choice) => before.has(itemOf(choice).id) && !after.has(itemOf(choice).id))
  return choices.map((choice) => {
    const { id } = itemOf(choice)
    const addition = added.find(({ article }) => article.id === id)
    if (addition) return { ...choice, reason: withFurther(choice.reason, { code: 'in-by-minimum', ...addition.rule }) }
    if (!displaced.includes(choice)) return choice
    const there = before.get(id) ?? choice.section
    const inThere = added.filter(({ section }) => section === there)
    const rivals = inThere.length > 0 ? inThere : added
    const rank = displaced.filter((one) => before.get(itemOf(one).id) === there).indexOf(choice)
    const rival = rivals[Math.min(Math.max(0, rank), rivals.length - 1)]
    if (!rival) return choice
    return { ...choice, reason: { code: 'displaced-by-minimum', title: rival.article.title, ...rival.rule } }
  })
}

/** The section name of each chosen item, by item id. */
function sectionsByItem(choices: Choice[]): Map<string, string> {
  return new Map(chosenOnly(choices).map((choice) => [itemOf(choice).id, choice.section]))
}

/** Passed-over choices for articles that no section may choose now, such as retracted or already published ones. */
function barredChoices(pending: Candidate[], digest: Digest): ArticleChoice[] {
  const waiting = pending.filter(({ quarantineReason }) => quarantineReason).toSorted((a, b) => (a.id < b.id ? 1 : -1))
  const stopped = new Map(waiting.map(({ quarantineReason, feedUrl }) => [feedUrl, quarantineReason]))
  return pending.flatMap((article) => {
    const { publishedAs, quarantineReason, cut, retracted, feedUrl } = article
    const home = homeSectionName(article, digest)
    const stop = stopped.get(feedUrl)
    const temporary = (reason: Reason) => [asTemporary(passedOver(article, home, reason))]
    if (retracted) return temporary({ code: 'retracted', who: retracted.who, words: retracted.reason })
    if (quarantineReason) return temporary({ code: 'quarantined', reason: quarantineReason })
    if (publishedAs) return [passedOver(article, home, sameStoryReason(publishedAs))]
    if (stop) return temporary({ code: 'feed-waits', reason: stop })
    if (cut) return [passedOver(article, home, cut.reason)]
    const { decision } = article
    if (decision?.kind === 'drop') return temporary({ code: 'dropped', who: decision.who, isExcluded: false })
    const isExcluded = decision?.kind === 'exclude'
    return isExcluded ? [passedOver(article, home, { code: 'dropped', who: decision.who, isExcluded })] : []
  })
}

function asTemporary(choice: ArticleChoice): ArticleChoice {
  return { ...choice, isTemporary: true }
}

function homeSectionName({ feedUrl }: Article, digest: Digest): string {
  return digest.sections.find(({ feeds, backfill }) => feeds.includes(feedUrl) || backfill === feedUrl)?.name ?? ''
}
