import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { feedChanges } from '../../../src/editions/corrections/changes.ts'
import { classifyChange } from '../../../src/editions/corrections/classify.ts'

type Label = 'correction' | 'rewording' | 'development' | 'counter'
type Labelled = { label: Label; was: string; now: string; found: Label }

const labelled: Labelled[] = readFileSync('fixtures/corrections/headlines.tsv', 'utf8')
  .trim()
  .split('\n')
  .map((line) => {
    const [label, was = '', now = ''] = line.split('\t')
    return { label: label as Label, was, now, found: classOf(was, now) }
  })

/** The class of the change of a headline in a feed; `counter`: nothing is proposed. */
function classOf(was: string, now: string): Label {
  const printed = { saidTitle: was, saidNote: '', pageTitle: null, pageNote: null, approvedAt: null, source: '' }
  return feedChanges(printed, { title: now, note: '' })[0]?.class ?? 'counter'
}

describe('the labelled headlines', () => {
  const real = labelled.filter(({ label }) => label === 'correction')
  const others = labelled.filter(({ label }) => label !== 'correction')
  const isShown = ({ found }: Labelled) => found === 'correction'
  const recall = real.filter(isShown).length / real.length
  const noise = others.filter(isShown).length / others.length

  test('are at least 200, and counters are never proposed', () => {
    expect(labelled.length).toBeGreaterThanOrEqual(200)
    expect(labelled.filter(({ label, found }) => label === 'counter' && found !== 'counter')).toEqual([])
  })

  test('that are corrections are shown: at least 85 of 100', () => {
    const missed = real.filter((one) => !isShown(one)).map(({ was, now }) => `${was} → ${now}`)
    expect(recall, `missed:\n${missed.join('\n')}`).toBeGreaterThanOrEqual(0.85)
  })

  test('that are shown are corrections: at least half, where 5 to 10 of 100 changes are corrections', () => {
    const wrong = others.filter(isShown).map(({ was, now }) => `${was} → ${now}`)
    const precisionAt = (share: number) => (share * recall) / (share * recall + (1 - share) * noise)
    console.info(
      `${labelled.length} headlines: recall ${recall.toFixed(2)}, precision ${precisionAt(0.05).toFixed(2)} at 5 %, ${precisionAt(0.1).toFixed(2)} at 10 %`,
    )
    expect(precisionAt(0.05), `shown wrongly:\n${wrong.join('\n')}`).toBeGreaterThanOrEqual(0.5)
  })
})

test.each([
  ['Ferry fire leaves 14 crew ill', 'Ferry fire leaves 41 crew ill', 'number', '14', '41'],
  ['Port head Anna Kessel to leave', 'Port head Anna Kassel to leave', 'name', 'Kessel', 'Kassel'],
  ['UK to end free bus passes', 'England to end free bus passes', 'meaning', 'UK', 'England'],
  ['Trust did breach safety rules', 'Trust did not breach safety rules', 'negation-added', '', 'not'],
  ['No trains between Breda and Tilburg', 'Trains between Breda and Tilburg', 'negation-removed', 'No', ''],
])('%j → %j: the fact that changed is named', (headline, next, fact, was, now) => {
  expect(classifyChange(headline, next).facts).toEqual([{ code: 'changed-fact', fact, was, now }])
})

describe('an entry with another address', () => {
  const printed = {
    saidTitle: 'Council opens its books',
    saidUrl: 'https://magazine.example/books?from=feed',
    saidNote: '',
    pageTitle: null,
    pageNote: null,
    approvedAt: null,
    source: '',
  }
  const moved = 'https://magazine.example/swans'

  test('and another headline is another article, not a correction, and its note is of that article', () => {
    expect(
      feedChanges(printed, { title: 'Swans return to lake', note: 'Correction: four swans.', url: moved }),
    ).toEqual([])
  })

  test('and nearly the same headline was moved, and a new address alone says nothing', () => {
    const refused = { title: 'Council refuses to open its books', note: '', url: moved }
    expect(feedChanges(printed, refused)).toMatchObject([{ kind: 'headline', class: 'correction' }])
    const same = { title: 'Swans return to lake', note: '', url: 'http://www.magazine.example/books/' }
    expect(feedChanges(printed, same)).toMatchObject([{ kind: 'headline', class: 'development' }])
  })
})
