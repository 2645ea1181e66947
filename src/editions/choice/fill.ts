import type { Article } from '../../store/articles/article.ts'
import type { Candidate } from '../../store/articles/articles.ts'
import { type Reason, type ReasonOf, withFurther } from '../../store/events/reason.ts'
import type { PendingLetter } from '../../store/letters/printing.ts'
import type { Instant } from '../../time/clock.ts'
import type { Digest, Section } from '../digest.ts'
import { type ArticleChoice, type Choice, chosenOnly, passedOver, withoutPlace } from './choice.ts'
import { sameStoryReason, sortByFeedPreference, storyOf } from './copies.ts'
import { type OrderedArticle, orderCandidates } from './order.ts'
import { isPinned } from './pin.ts'
import { placeLetters } from './place-letters.ts'
import { Quota } from './quota.ts'

export type SectionInput = {
  /** Articles that the section accepts. */
  candidates: Candidate[]
  /** Readers' letters that no earlier section includes. */
  letters: PendingLetter[]
  spare: Candidate[]
  /** Articles chosen by earlier sections. */
  chosen: Candidate[]
  /** Articles with places reserved by an editor or a rule, in this or another section. */
  kept: Candidate[]
  /** Feed URLs of the digest, in order of preference. */
  feeds: string[]
  /** The names of other feeds with the same story. */
  sources(article: Candidate): string[]
  digest: Digest
  now: Instant
}

/** Fills one section. `mayStandLater`: later sections may choose the articles that this one passed over. */
export function fillSection(section: Section, filling: SectionInput): { choices: Choice[]; mayStandLater: boolean } {
  const { candidates, letters, spare, sources, now } = filling
  const kept = candidates.filter(({ id }) => filling.kept.some((one) => one.id === id))
  const quotas = quotasOf(section, kept, filling)
  const room: Room = {
    section,
    quotas,
    sources,
    position: 0,
    letters: 0,
    reservedIds: new Set(kept.map(({ id }) => id)),
    isKeptByEditor: kept.some(isPinned),
  }

  const lettersHere = placeLetters(letters, section, (taken) =>
    fullReason({ ...room, position: taken }, section.maximum, 'letters'),
  )
  room.letters = chosenOnly(lettersHere).length
  room.position = room.letters
  const ownChoices = pickStories(storiesIn(candidates, section, filling), room, section.maximum)
  const backfillMinimum = section.thin === 'backfill' ? Math.min(section.minimum, section.maximum) : 0
  const printedStories = new Set(
    ownChoices.flatMap(({ article, position }) => (position === null ? [] : [storyOf(article)])),
  )
  const unprintedBackfill = spare.filter((article) => !printedStories.has(storyOf(article)))
  const orderedBackfill = orderCandidates(
    unprintedBackfill,
    { order: 'newest', feeds: [] },
    (article) => sources(article).length,
    now,
  )
  const backfillChoices = pickStories(orderedBackfill.map(singleCopy), { ...room, isBackfill: true }, backfillMinimum)
  const choices = [...lettersHere, ...ownChoices, ...backfillChoices]
  const holds = chosenOnly(choices).length
  if (holds >= section.minimum || section.thin === 'ask' || candidates.some(isPinned))
    return { choices, mayStandLater: false }

  const reason: Reason = { code: 'section-dropped', count: holds, minimum: section.minimum }
  return {
    choices: choices.map((choice) => (choice.position === null ? choice : withoutPlace(choice, reason))),
    mayStandLater: section.thin === 'drop',
  }
}

/** Copies of one story in order of preference. The story ranks where its first copy ranks. */
type PlacedStory = OrderedArticle[]

function singleCopy(placed: OrderedArticle): PlacedStory {
  return [placed]
}

function storiesIn(
  candidates: Candidate[],
  section: Section,
  { kept, feeds, sources, now }: SectionInput,
): PlacedStory[] {
  const placed = orderCandidates(candidates, section, (article) => sources(article).length, now)
  const byId = new Map(placed.map((one) => [one.article.id, one]))
  const isKept = ({ id }: Candidate) => kept.some((one) => one.id === id)
  const first = new Map(
    [...Map.groupBy(candidates, storyOf).values()].map((some) => {
      const copies = sortByFeedPreference(some, feeds).sort((a, b) => Number(isKept(b)) - Number(isKept(a)))
      return [copies[0]?.id, copies.flatMap(({ id }) => byId.get(id) ?? [])] as const
    }),
  )
  return placed.flatMap(({ article }) => (first.has(article.id) ? [first.get(article.id) ?? []] : []))
}

/** Quotas of section and edition that already count articles of earlier sections and all reserved places. */
function quotasOf(section: Section, kept: Article[], { chosen, kept: keptInAll, digest }: SectionInput): Quota[] {
  const edition = new Quota(digest.atMost, null)
  const articles = new Map([...chosen, ...keptInAll].map((article) => [article.id, article]))
  for (const article of articles.values()) edition.count(article)
  const own = Quota.of(section)
  for (const article of kept) own.count(article)
  return [own, edition]
}

type Room = {
  section: Section
  quotas: Quota[]
  sources(article: Candidate): string[]
  /** The last taken place; `letters` is the number of places taken by letters. */
  position: number
  letters: number
  /** Ids of articles whose reserved places are not yet taken; `isKeptByEditor`: an editor reserved at least one place. */
  reservedIds: Set<string>
  isKeptByEditor: boolean
  /** The candidates are backfill. */
  isBackfill?: true
}

/** Chooses stories in order until the section has `maxPlaces` items; of each story, the first copy that the rules allow. */
function pickStories(stories: PlacedStory[], room: Room, maxPlaces: number): ArticleChoice[] {
  const { section, sources } = room
  return stories.flatMap((copies, index) => {
    let printedCopy: Candidate | undefined
    return copies.map((copy) => {
      const { article, order, score } = copy
      if (printedCopy) return passedOver(article, section.name, sameStoryReason(printedCopy))
      const refusal = room.reservedIds.delete(article.id) ? null : refusalReason(article, room, maxPlaces)
      if (refusal !== null) return passedOver(article, section.name, score ? withFurther(refusal, score) : refusal)
      printedCopy = article
      room.position += 1
      const ranking = { rank: index + 1, total: stories.length, order, backfill: room.isBackfill ?? false }
      const reason = withFurther({ code: 'chosen', ...ranking }, ...detailsOf(copy, sources(article)))
      return { kind: 'article', article, section: section.name, position: room.position, reason }
    })
  })
}

/** Details for the reason of a chosen article. `sources`: names of other feeds with its story. */
function detailsOf({ article: { decision }, score }: OrderedArticle, sources: string[]): Reason[] {
  return [
    ...(score ? [score] : []),
    ...(sources.length > 0 ? [{ code: 'also-in' as const, sources }] : []),
    ...(decision?.kind === 'pin' ? [{ code: 'pinned' as const, who: decision.who }] : []),
  ]
}

/** Why the article gets no place; null: it gets one, and the quotas now count it. */
function refusalReason(article: Article, room: Room, maxPlaces: number): Reason | null {
  const { section, quotas } = room
  const before = room.letters > 0 ? 'mixed' : section.order === 'newest' ? 'newer' : 'articles'
  const against =
    fullReason(room, maxPlaces, before) ??
    quotas.map((one) => one.exceededBy(article)).find((reason) => reason !== null)
  if (against != null) return against
  for (const quota of quotas) quota.count(article)
  return null
}

function fullReason(
  { position, reservedIds: kept, isKeptByEditor, isBackfill: spare, section }: Room,
  maxPlaces: number,
  before: ReasonOf<'section-full'>['before'],
): Reason | null {
  if (position + kept.size < maxPlaces) return null
  if (spare) return { code: 'backfill-not-needed', section: section.name }
  const reservedBy = isKeptByEditor ? 'editor' : 'rules'
  return { code: 'section-full', count: position, before, reserved: kept.size, reservedBy }
}
