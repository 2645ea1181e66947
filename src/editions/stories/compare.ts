import { runCooperatively } from '../../runtime/cooperative.ts'
import {
  copiesOf,
  mergeStories,
  possibleDuplicates,
  recordCompared,
  recordPossibleDuplicates,
  type StoryRow,
  storiesToCompare,
} from '../../store/ledger/stories.ts'
import type { Db } from '../../store/schema.ts'
import { addMs, day, type Instant, yieldToEventLoop } from '../../time/clock.ts'
import { findPairs, type Pair } from './same-story.ts'
import { storyTime } from './story.ts'
import { StoryGroups } from './story-groups.ts'

const batchSize = 500
/** Older articles are matched only by the same address or title, not by a similar title. */
const maxStoryAgeMs = 20 * day
/** The title window of seven days, plus one day because a date may be ahead. */
const titleWindowMs = 8 * day

/**
 * Marks articles that tell the same story as copies; only new or changed articles are compared with the known ones.
 * Runs in the caller's transaction.
 */
export async function compareStories(db: Db, digest: string, now: Instant): Promise<void> {
  while (await compareStoryBatch(db, digest, now)) await yieldToEventLoop()
}

/** Compares at most 500 articles. Returns whether there may be more. */
export async function compareStoryBatch(db: Db, digest: string, now: Instant): Promise<boolean> {
  const fresh = await storiesToCompare(db, digest, batchSize)
  if (fresh.length === 0) return false
  const known = await possibleDuplicates(db, digest, fresh, comparisonStart(fresh, now))
  const { same, possible } = await runCooperatively(findPairs(fresh, known))
  const involved = [...same, ...possible].flatMap(({ one, other }) => [one, other])
  const stories = new StoryGroups(await copiesOf(db, digest, involved))
  await runCooperatively(stories.joinInSteps(same))
  for (const { was, is } of stories.joined()) await mergeStories(db, digest, was, is)
  const ids = fresh.map(({ id }) => id)
  await recordCompared(db, digest, ids, now)
  await recordPossibleDuplicates(db, digest, ids, possibleDuplicatesIn([...same, ...possible], stories))
  return fresh.length === batchSize
}

/**
 * The later article of each pair that did not become one story, with the nearest earlier one; not where an editor or the
 * publisher says that they are two.
 */
function possibleDuplicatesIn(pairs: Pair[], stories: StoryGroups): Map<string, string> {
  const found = new Map<string, string>()
  for (const pair of pairs) {
    if (stories.isSettled(pair)) continue
    const [earlier = '', later = ''] = [pair.one.id, pair.other.id].sort()
    if (!found.has(later)) found.set(later, earlier)
  }
  return found
}

/**
 * The earliest time at which a title can be within the window. An article without a date may have been in its feed for
 * weeks.
 */
function comparisonStart(fresh: StoryRow[], now: Instant): Instant {
  const oldest = addMs(now, -maxStoryAgeMs)
  const starts = fresh.map((story) => (story.publishedAt === null ? oldest : storyTime(story)))
  const first = starts.reduce((earliest, start) => (start < earliest ? start : earliest), now)
  return addMs(first > oldest ? first : oldest, -titleWindowMs)
}
