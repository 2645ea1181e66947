import { afterEach, describe, expect, test, vi } from 'vitest'
import { addArticlesToLedger } from '../../../src/editions/ledger.ts'
import { findFlood } from '../../../src/editions/stories/flood.ts'
import { findPairs } from '../../../src/editions/stories/same-story.ts'
import type { Story } from '../../../src/editions/stories/story.ts'
import { StoryGroups } from '../../../src/editions/stories/story-groups.ts'
import { areTitlesAlike, TitleIndex } from '../../../src/editions/stories/titles.ts'
import type { Steps } from '../../../src/runtime/cooperative.ts'
import { day } from '../../../src/time/clock.ts'
import { sqliteUrl } from '../../support/databases/engines.ts'
import { makeArticle, publishArticles } from '../../support/newsroom.ts'
import { countTurns, slowClock } from '../../support/turns.ts'
import { openWorld } from '../../support/world.ts'

afterEach(() => vi.restoreAllMocks())

const at = '2026-11-20T08:00:00.000Z'

/** All words of the others but one: every title shares its rarest words with all the others. */
function hostileTitle(number: number, words = 36): string {
  const all = Array.from(
    { length: words },
    (_, index) => `${String.fromCharCode(97 + (index % 26))}${'x'.repeat(index / 26)}`,
  )
  return all.filter((_, index) => index !== number % words).join(' ')
}

function hostileStories(count: number, given: Partial<Story> = {}): Story[] {
  return Array.from({ length: count }, (_, number) => ({
    id: String(number).padStart(6, '0'),
    feedUrl: `https://${number % 2}.example/feed`,
    canonical: `https://x.example/${number}`,
    title: hostileTitle(number),
    source: '',
    identity: String(number),
    textFingerprint: null,
    publishedAt: null,
    seenAt: at,
    shownAt: at,
    sameAs: null,
    unlike: null,
    ...given,
  }))
}

function countSteps(steps: Steps<unknown>): number {
  let count = 0
  while (!steps.next().done) count++
  return count
}

describe('comparing titles that a stranger made', () => {
  test('compares each with a hundred others at most, however many there are', () => {
    const titles = TitleIndex.build(hostileStories(3000), () => 0)
    const [one] = hostileStories(1)
    expect(countSteps(titles.findAlike(one as Story))).toBe(100)
  })

  test('takes some hundred steps for each title, whatever the others are', () => {
    for (const count of [300, 1200]) {
      expect(countSteps(findPairs(hostileStories(count), []))).toBeLessThan(210 * count)
      const known = hostileStories(count, { seenAt: '2026-11-10T08:00:00.000Z', shownAt: at })
      const rule = { known: 5, times: 10 }
      expect(countSteps(findFlood(hostileStories(count), known, rule))).toBeLessThan(105 * count)
    }
  })

  test('takes four times the steps when all of them have one address', () => {
    const steps = (count: number) => {
      const stories = hostileStories(count, {
        canonical: 'https://x.example/one',
        title: 'One title for every one of them',
      })
      const found = findPairs(stories, [])
      let searching = 0
      for (;;) {
        const { done, value } = found.next()
        if (done) return searching + countSteps(new StoryGroups(stories).joinInSteps(value.same))
        searching++
      }
    }
    expect(steps(1200)).toBeLessThan(4.2 * steps(300))
  })

  test('reads a title of a hundred thousand words no further than two thousand characters', () => {
    const long = 'word '.repeat(100_000)
    expect(areTitlesAlike(`${long}one`, `${long}one`)).toBe(true)
    expect(areTitlesAlike(`${long}one`, `${long}two`)).toBe(false)
  })

  test('wants the same words behind the fortieth', () => {
    const start = Array.from({ length: 40 }, (_, index) => `word${'s'.repeat(index)}`).join(' ')
    expect(areTitlesAlike(`${start} of the bridge`, `${start} OF the bridge!`)).toBe(true)
    expect(areTitlesAlike(`${start} of the bridge`, `${start} of the harbour`)).toBe(false)
    expect(areTitlesAlike(`${start} part 1`, `${start} part 2`)).toBe(false)
  })

  test('finds the one among many that is nearly the same', () => {
    const stories = hostileStories(2000)
    const [ours, theirs] = [
      'Council votes for a new bridge over the river',
      'Council votes for new bridge over the river',
    ]
    const one = { ...(stories[0] as Story), id: 'one', title: ours }
    const other = { ...(stories[1] as Story), id: 'other', title: theirs }
    const found = findPairs(
      [{ ...one, feedUrl: 'https://z.example/feed', canonical: 'https://z.example/one' }],
      [...stories, other],
    )
    let next = found.next()
    while (!next.done) next = found.next()
    expect(next.value.same.map((pair) => pair.other.id)).toEqual(['other'])
  })
})

test('taking in many titles that are hard to compare gives the event loop back between them', async () => {
  const { url, remove } = sqliteUrl() // on SQLite nothing else would give it back
  const it = await openWorld({ storeUrl: url })
  try {
    const feed = it.digest.sections[0]?.feeds[0] ?? ''
    await publishArticles(it, feed, [makeArticle('First sight')])
    await addArticlesToLedger(it.app, it.digest)
    it.clock.advance(8 * day)
    const titles = Array.from({ length: 120 }, (_, number) => hostileTitle(number))
    await publishArticles(
      it,
      feed,
      titles.map((title, number) => makeArticle(title, { url: `https://x.example/${number}` })),
    )
    slowClock(11)
    const { turns } = await countTurns(() => addArticlesToLedger(it.app, it.digest))
    expect(turns).toBeGreaterThan(120) // once a title, and not only once a query
  } finally {
    await it.close()
    remove()
  }
})
