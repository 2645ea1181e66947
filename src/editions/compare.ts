import { day, type Instant, later, letOthersWork } from '../clock.ts'
import { runInTurns } from '../cooperative.ts'
import type { Db } from '../store/schema.ts'
import { copiesOf, joinStory, recordCompared, type StoryRow, storiesLike, storiesToCompare } from '../store/stories.ts'
import { findSamePairs, Stories, storyTime } from './same.ts'

const atOnce = 500
/** What is older is found by the same address or title alone, and not by one that is nearly the same. */
const memory = 20 * day
/** The window for titles, and the day that a date may be ahead. */
const window = 8 * day

/**
 * Joins the articles that tell the same story, as copies of it. Only what is new to the digest, or reads otherwise than
 * before, is compared with what it knows: where there is none, nothing is read. In the transaction of whoever calls.
 */
export async function compareStories(db: Db, digest: string, now: Instant): Promise<void> {
  while (await compareSomeStories(db, digest, now)) await letOthersWork()
}

/** The same for at most 500 articles. Returns whether there may be more. */
export async function compareSomeStories(db: Db, digest: string, now: Instant): Promise<boolean> {
  const fresh = await storiesToCompare(db, digest, atOnce)
  if (fresh.length === 0) return false
  const known = await storiesLike(db, digest, fresh, startOf(fresh, now))
  const pairs = await runInTurns(findSamePairs(fresh, known))
  const involved = pairs.flatMap(({ one, other }) => [one, other])
  const stories = new Stories(await copiesOf(db, digest, involved))
  await runInTurns(stories.joinInSteps(pairs))
  for (const { was, is } of stories.joined()) await joinStory(db, digest, was, is)
  const ids = fresh.map(({ id }) => id)
  await recordCompared(db, digest, ids, now)
  return fresh.length === atOnce
}

/** From when on titles can be near enough in time. An article without a date may have been shown for weeks. */
function startOf(fresh: StoryRow[], now: Instant): Instant {
  const oldest = later(now, -memory)
  const starts = fresh.map((story) => (story.publishedAt === null ? oldest : storyTime(story)))
  const first = starts.reduce((earliest, start) => (start < earliest ? start : earliest), now)
  return later(first > oldest ? first : oldest, -window)
}
