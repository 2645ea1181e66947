import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { findPairsSync } from '../../../src/editions/stories/same-story.ts'
import type { Story } from '../../../src/editions/stories/story.ts'
import { fingerprintText } from '../../../src/text/text-fingerprint.ts'

type Item = { feed: string; title: string; text: string; date: string }
/** `unseen`: a third of each class, measured by itself; its texts are of the same makers as the others. */
type LabelledPair = { class: string; same: boolean; unseen: boolean; one: Item; other: Item }

const pairs: LabelledPair[] = readFileSync('fixtures/stories/pairs.jsonl', 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))

function toStory(id: string, { feed, title, text, date }: Item): Story {
  return {
    id,
    feedUrl: `https://${feed.toLowerCase().replace(/[^a-z]+/g, '-')}.example/feed`,
    source: feed,
    identity: id,
    canonical: `https://x.example/${id}`,
    title,
    textFingerprint: fingerprintText(text),
    publishedAt: date,
    seenAt: date,
    shownAt: date,
    sameAs: null,
    unlike: null,
  }
}

function isOneStory({ one, other }: LabelledPair): boolean {
  return findPairsSync([toStory('a', one), toStory('b', other)], []).same.length > 0
}

function measure(some: LabelledPair[]) {
  const found = some.filter(isOneStory)
  const right = found.filter(({ same }) => same).length
  return { precision: right / found.length, recall: right / some.filter(({ same }) => same).length }
}

test('labelled pairs: at least 99 % of what counts as one story is, and 80 % of one story is found', () => {
  expect(pairs.length).toBeGreaterThanOrEqual(300)
  for (const [name, some] of [
    ['all', pairs],
    ['two thirds', pairs.filter(({ unseen }) => !unseen)],
    ['the other third', pairs.filter(({ unseen }) => unseen)],
  ] as const) {
    const { precision, recall } = measure(some)
    const percent = (share: number) => `${(100 * share).toFixed(1)} %`
    console.log(`${name}: ${some.length} pairs, precision ${percent(precision)}, recall ${percent(recall)}`)
    expect({ name, isPrecise: precision >= 0.99, isComplete: recall >= 0.8 }).toEqual({
      name,
      isPrecise: true,
      isComplete: true,
    })
  }
})

test.each(['en', 'fr', 'de', 'es', 'cy'])('the pairs have opposites in %s, and none is one story', (language) => {
  const opposites = pairs.filter((pair) => pair.class.startsWith('opposite') && languageOf(pair) === language)
  expect(opposites.length).toBeGreaterThan(0)
  expect(opposites.filter(isOneStory).map(({ other }) => other.title)).toEqual([])
})

function languageOf(pair: LabelledPair): string {
  return (pair as LabelledPair & { language: string }).language
}
