import { trustedDate } from '../../store/articles/forgotten.ts'
import { readFingerprint, type TextFingerprint } from '../../text/text-fingerprint.ts'
import { day, hour } from '../../time/clock.ts'
import { compareTexts, minTextWords, type TextRelation } from './compare-texts.ts'
import { doHeadlinesConflict, type Headline, readHeadline } from './headlines.ts'
import { type Story, timeApartMs } from './story.ts'
import { areTitlesAlike } from './titles.ts'

/** `possible`: probably one story, but not proven; both are printed, and editors are told. */
export type Verdict = 'same' | 'possible' | 'different'

/** Maximum difference between two dates of one article because of a wrong time zone. */
export const maxZoneErrorMs = 14 * hour
/** A copy in another feed is published within days. The headline alone counts for less, because a column returns after a week. */
const copyWindowMs = 10 * day
const headlineWindowMs = 3 * day
const possibleWindowMs = 7 * day
/** Two long texts that are the same cannot be the standfirst of a column. */
const minWholeTextWords = 100
/** Headlines of fewer words are shared by many articles. */
const minHeadlineWords = 4
/** Against another text on the same day, a headline needs more words. */
const minTellingWords = 6

/** A story with its headline and text read, so that each is read once. */
export type ReadStory = { story: Story; headline: Headline; text: TextFingerprint | null }

export function readStory(story: Story): ReadStory {
  return {
    story,
    headline: readHeadline(story.title, story),
    text: readFingerprint(story.textFingerprint),
  }
}

/**
 * Whether two articles at different addresses are one story, by text and headline. `isAlike`: whether their titles are
 * nearly the same, if that is known.
 */
export function judge(one: ReadStory, other: ReadStory, isAlike?: boolean): Verdict {
  const isOneFeed = one.story.feedUrl === other.story.feedUrl
  const evidence = evidenceOf(one, other, isAlike)
  if (provesSame(evidence, isOneFeed)) return 'same'
  return isPossible(evidence, isOneFeed) ? 'possible' : 'different'
}

/** Whether the texts of two articles, or their headlines where a text is missing, say different things. */
export function areContradictory(one: ReadStory, other: ReadStory): boolean {
  const text = compareTexts(one.text, other.text)
  if (text === 'conflict') return true
  return (
    text !== 'same' &&
    one.headline.key !== other.headline.key &&
    doHeadlinesConflict(one.story.title, other.story.title)
  )
}

type Evidence = {
  text: TextRelation
  /** Number of words of the shorter text. */
  textWords: number
  /** Whether the headlines say the same, apart from labels, site names and articles. */
  isSameHeadline: boolean
  headlineWords: number
  isStanding: boolean
  /** Whether the headlines differ in a number, name, negation or other decisive word. */
  isContradicted(): boolean
  isAlike(): boolean
  apartMs: number
  hasDates: boolean
}

function evidenceOf(one: ReadStory, other: ReadStory, isAlike?: boolean): Evidence {
  const isSameHeadline = one.headline.key !== '' && one.headline.key === other.headline.key
  return {
    text: compareTexts(one.text, other.text),
    textWords: Math.min(one.text?.count ?? 0, other.text?.count ?? 0),
    isSameHeadline,
    headlineWords: new Set(one.headline.words).size,
    isStanding: one.headline.isStanding || other.headline.isStanding,
    isContradicted: () => !isSameHeadline && doHeadlinesConflict(one.story.title, other.story.title),
    isAlike: () => isSameHeadline || (isAlike ?? areTitlesAlike(one.story.title, other.story.title)),
    apartMs: timeApartMs(one.story, other.story),
    hasDates: trustedDate(one.story) !== null && trustedDate(other.story) !== null,
  }
}

function provesSame(evidence: Evidence, isOneFeed: boolean): boolean {
  if (evidence.text === 'conflict') return false
  return evidence.text === 'same' ? isProvenByText(evidence, isOneFeed) : !isOneFeed && isProvenByHeadline(evidence)
}

/** A short text may be the standfirst of a column, so it needs about the same date, in one feed nearly the same. */
function isProvenByText(evidence: Evidence, isOneFeed: boolean): boolean {
  const { textWords, isSameHeadline, isStanding, isContradicted, apartMs } = evidence
  if (isContradicted()) return false
  if (textWords < minTextWords && !isSameHeadline) return false
  if (textWords >= minWholeTextWords) return true
  return apartMs <= (isOneFeed || isStanding ? maxZoneErrorMs : copyWindowMs)
}

function isProvenByHeadline(evidence: Evidence): boolean {
  const { text, isSameHeadline, headlineWords, isStanding, apartMs, hasDates } = evidence
  if (!isSameHeadline || isStanding || headlineWords < minHeadlineWords) return false
  if (text !== 'different') return apartMs <= headlineWindowMs
  return hasDates && apartMs <= maxZoneErrorMs && headlineWords >= minTellingWords
}

function isPossible(evidence: Evidence, isOneFeed: boolean): boolean {
  const { text, isSameHeadline, isStanding, isAlike, apartMs, headlineWords } = evidence
  if (apartMs > possibleWindowMs || headlineWords < minHeadlineWords) return false
  const isColumn = isSameHeadline && apartMs > maxZoneErrorMs && (isOneFeed || isStanding)
  if (isColumn && text !== 'same') return false
  if (isStanding && text === 'different') return false
  return isAlike() || text === 'same' || (text === 'similar' && apartMs <= headlineWindowMs)
}
