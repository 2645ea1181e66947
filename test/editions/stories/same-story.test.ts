import { describe, expect, test } from 'vitest'
import { findFloodSync } from '../../../src/editions/stories/flood.ts'
import { findPairsSync } from '../../../src/editions/stories/same-story.ts'
import type { Story } from '../../../src/editions/stories/story.ts'
import { StoryGroups } from '../../../src/editions/stories/story-groups.ts'
import { areTitlesAlike } from '../../../src/editions/stories/titles.ts'
import { canonicalAddress, titleKey } from '../../../src/store/articles/canonical-address.ts'

const first = 'https://one.example/feed'
const second = 'https://two.example/feed'

function story(id: string, given: Partial<Story> = {}): Story {
  return {
    id,
    feedUrl: first,
    canonical: `https://one.example/${id}`,
    title: `Council opens the harbour bridge number ${id}`,
    source: '',
    identity: id,
    textFingerprint: null,
    publishedAt: null,
    seenAt: '2026-11-20T08:00:00.000Z',
    shownAt: '2026-11-20T08:00:00.000Z',
    sameAs: null,
    unlike: null,
    ...given,
  }
}

/** Each article with the one by which its story is known, after all have been compared with all. */
function links(stories: Story[], fresh = stories): Record<string, string> {
  const known = new StoryGroups(stories)
  known.join(findPairsSync(fresh, stories).same)
  const roots = new Map(known.joined().map(({ was, is }) => [was, is]))
  return Object.fromEntries(stories.map(({ id, sameAs }) => [id, roots.get(sameAs ?? id) ?? sameAs ?? id]))
}

describe('a canonical address', () => {
  test.each([
    ['HTTPS://WWW.Example.org:443/News/?utm_source=rss&b=2&a=1#top', 'https://example.org/News?a=1&b=2'],
    ['https://m.example.org/a/index.html', 'https://example.org/a'],
    ['https://www.example.org/index.php?p=12', 'https://example.org/?p=12'],
    ['https://example.org/a?ref=rss&source=rss----5517fd7b58a6---4', 'https://example.org/a'],
    ['https://example.org/a?partner=rss&emc=rss', 'https://example.org/a'],
    ['https://www.example/a', 'https://www.example/a'],
    ['http://example.org/a?fbclid=1&gclid=2&mc_cid=3&at_medium=RSS&ns_campaign=x&CMP=share', 'https://example.org/a'],
    ['http://example.org', 'https://example.org/'],
    ['https://example.org//a//b/', 'https://example.org/a/b'],
    ['https://example.org/?p=12', 'https://example.org/?p=12'],
    ['not an address', 'not an address'],
  ])('of %s is %s', (address, canonical) => {
    expect(canonicalAddress(address)).toBe(canonical)
  })

  test('keeps what tells two pages apart', () => {
    expect(canonicalAddress('https://a.example/?id=1')).not.toBe(canonicalAddress('https://a.example/?id=2'))
    expect(canonicalAddress('https://a.example/News')).not.toBe(canonicalAddress('https://a.example/news'))
    expect(canonicalAddress('https://a.example/x')).not.toBe(canonicalAddress('https://b.a.example/x'))
    expect(canonicalAddress('https://a.example/?ref=main')).not.toBe(canonicalAddress('https://a.example/?ref=next'))
    expect(canonicalAddress('https://a.example/?src=feedback')).not.toBe(canonicalAddress('https://a.example/'))
    expect(canonicalAddress('https://a.example/index.html.txt')).not.toBe(canonicalAddress('https://a.example/.txt'))
  })
})

describe('two titles', () => {
  test('that differ in case, accents, quotes and one word of many are alike', () => {
    expect(areTitlesAlike('Café “opens” on Monday', 'CAFE opens on Monday!')).toBe(true)
    const long = 'Council votes for a new bridge over the river after ten years of debate'
    expect(areTitlesAlike(long, `${long} again`)).toBe(true)
  })

  test('are not alike when a number or a word of a short one differs', () => {
    const part = 'Everything that you ever wanted to know about the new council budget, part'
    expect(areTitlesAlike(`${part} 1`, `${part} 2`)).toBe(false)
    expect(areTitlesAlike(`${part} 1 of series 2`, `${part} 2 of series 1`)).toBe(false)
    expect(areTitlesAlike('Mayor resigns today', 'Mayor resigns tomorrow')).toBe(false)
    expect(areTitlesAlike('', '')).toBe(false)
  })

  test('have a key each in a script without spaces, and none of them is empty', () => {
    expect(titleKey('政治の話')).not.toBe(titleKey('経済の話'))
    expect(titleKey('!!!')).toBe('!!!')
  })
})

describe('the same story', () => {
  const title = 'Harbour bridge opens after nine years'

  test('in two feeds by address is one story, known by what was seen first, whichever comes first', () => {
    const other = story('b', { feedUrl: second, canonical: 'https://one.example/a', title: 'Other words for it' })
    expect(links([other, story('a')])).toEqual({ a: 'a', b: 'a' })
    expect(links([other, story('a')], [other])).toEqual({ a: 'a', b: 'a' })
    expect(links([other, story('a')], [story('a')])).toEqual({ a: 'a', b: 'a' })
  })

  test('in two feeds by title is one within three days and two after four', () => {
    const at = (publishedAt: string) => story('b', { feedUrl: second, title, publishedAt })
    const a = story('a', { title, publishedAt: '2026-11-10T00:00:00.000Z' })
    expect(links([a, at('2026-11-13T00:00:00.000Z')])).toEqual({ a: 'a', b: 'a' })
    expect(links([a, at('2026-11-14T00:00:00.000Z')])).toEqual({ a: 'a', b: 'b' })
  })

  test('is found without a date for as long as its feed shows it', () => {
    const a = story('a', { title, seenAt: '2026-10-01T08:00:00.000Z', shownAt: '2026-10-19T08:00:00.000Z' })
    const at = (seenAt: string) => story('b', { feedUrl: second, title, seenAt, shownAt: seenAt })
    expect(links([a, at('2026-10-20T08:00:00.000Z')])).toEqual({ a: 'a', b: 'a' })
    expect(links([a, at('2026-10-28T08:00:00.000Z')])).toEqual({ a: 'a', b: 'b' })
  })

  test('is not told by two pieces that one feed shows side by side under one title', () => {
    expect(links([story('a', { title }), story('b', { title })])).toEqual({ a: 'a', b: 'b' })
    const third = story('c', { title, feedUrl: second })
    const found = links([story('a', { title }), story('b', { title }), third])
    expect(new Set(Object.values(found)).size).toBe(2) // not joined by way of the third
  })

  test('is not told by all episodes that link to one page, nor by titles of three words', () => {
    const canonical = 'https://one.example/show'
    const episodes = ['a', 'b', 'c'].map((id) => story(id, { canonical, title: `Episode ${id} about a thing` }))
    expect(Object.values(links(episodes))).toEqual(['a', 'b', 'c'])
    const short = { title: 'Morning briefing today' }
    expect(links([story('a', short), story('b', { ...short, feedUrl: second })])).toEqual({ a: 'a', b: 'b' })
  })

  test('stays one when a title changes, and is never told by a headline that one feed has every week', () => {
    const copy = story('b', { feedUrl: second, title: 'Quite other words than before', sameAs: 'a' })
    expect(links([story('a'), copy])).toEqual({ a: 'a', b: 'a' })
    const weeks = ['2026-09-01', '2026-09-08', '2026-09-15', '2026-09-22', '2026-09-29', '2026-10-06']
    const series = weeks.map((date, index) => {
      const seenAt = `${date}T08:00:00.000Z`
      return story(`s${index}`, { title: 'What the week has brought us', seenAt, shownAt: seenAt, publishedAt: seenAt })
    })
    const found = links(series)
    expect(new Set(Object.values(found)).size).toBe(weeks.length)
  })

  test('is not told by one that an editor has told from it, nor by way of a copy', () => {
    const one = story('a', { canonical: 'https://one.example/x', title })
    const other = story('c', { canonical: 'https://one.example/x', title, feedUrl: second, unlike: 'a' })
    const third = story('b', { canonical: 'https://one.example/x', title, feedUrl: 'https://three.example/' })
    expect(links([one, other])).toEqual({ a: 'a', c: 'c' })
    const found = links([one, third, other])
    expect(found.a).not.toBe(found.c)
  })

  test('that two articles have told, each with copies, is one by the first of all', () => {
    const at = (id: string, feed: string, given: Partial<Story>) =>
      story(id, { feedUrl: `https://${feed}.example/`, title: `${id} in words of its own`, ...given })
    const stories = [at('a', 'a', {}), at('b', 'b', { sameAs: 'a' }), at('c', 'c', {}), at('d', 'd', { sameAs: 'c' })]
    const link = { canonical: 'https://one.example/a' }
    expect(links([...stories.slice(0, 3), { ...(stories[3] as Story), ...link }])).toEqual({
      a: 'a',
      b: 'a',
      c: 'a',
      d: 'a',
    })
  })

  test('has the same answer in whichever order the store gives the articles', () => {
    const stories = 'abcdef'.split('').map((id, index) =>
      story(id, {
        canonical: `https://one.example/${index % 3}`,
        title: id,
        feedUrl: index % 2 ? first : second,
        seenAt: `2026-11-2${index}T08:00:00.000Z`,
      }),
    )
    expect(links(stories.toReversed())).toEqual(links(stories))
  })
})

describe('a guid storm', () => {
  const rule = { known: 5, times: 10 }
  const before = Array.from({ length: 30 }, (_, index) =>
    story(`old-${index}`, {
      seenAt: `2026-10-${String(index + 1).padStart(2, '0')}T08:00:00.000Z`,
      shownAt: '2026-11-19T08:00:00.000Z',
    }),
  )
  const again = (count: number) =>
    before
      .slice(0, count)
      .map((old) => story(`new-${old.id}`, { title: old.title, seenAt: '2026-11-20T08:00:00.000Z' }))
  const fresh = (count: number) => Array.from({ length: count }, (_, index) => story(`fresh-${index}`))

  test('is six known titles at once, and not five', () => {
    expect(findFloodSync(again(5), before, rule)).toBeNull()
    const storm = findFloodSync([...again(6), ...fresh(3)], before, rule)
    expect([...(storm?.quarantined ?? [])].slice(0, 2)).toEqual([
      ['new-old-0', 'old-0'],
      ['new-old-1', 'old-1'],
    ])
    expect(storm?.quarantined.size).toBe(6) // what is new indeed does not wait for ever
  })

  test('is more than ten times the usual volume, and not when the feed was away for as long', () => {
    expect(findFloodSync(fresh(12), before, rule)?.reason).toEqual({ code: 'flood', count: 12, usual: 1 })
    const away = before.map((old) => ({ ...old, shownAt: old.seenAt }))
    expect(findFloodSync(fresh(12), away, rule)).toBeNull()
  })

  test('is not seen in a feed that we have known for less than a week', () => {
    const young = before.map((old) => ({ ...old, seenAt: '2026-11-18T08:00:00.000Z' }))
    expect(findFloodSync(fresh(50), young, rule)).toBeNull()
  })

  test('is not a column that always has the same title', () => {
    const column = before.map((old) => ({ ...old, title: 'The picture of the day, chosen by our readers' }))
    const pictures = fresh(8).map((one) => ({ ...one, title: 'The picture of the day, chosen by our readers' }))
    expect(findFloodSync(pictures, column, rule)).toBeNull()
  })
})
