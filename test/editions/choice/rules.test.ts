import { describe, expect, test } from 'vitest'
import { scoreOf } from '../../../src/editions/choice/score.ts'
import { selectArticles } from '../../../src/editions/choice/select.ts'
import { decideThin } from '../../../src/editions/choice/thin.ts'
import { article, digest, news, now, outcome } from '../../support/candidates.ts'
import { inWords } from '../../support/history.ts'

const other = 'https://other.example/feed'

describe('a section', () => {
  test('counts everybody whom an author line names', () => {
    const pending = ['Mira Vance', 'By Mira Vance', 'Tom Hale and Mira Vance', 'Tom Hale'].map((author, index) =>
      article(`${index + 1}`, { author }),
    )
    expect(outcome(pending, digest({}, { perAuthor: 2 }))).toMatchObject({
      3: 'the section latest holds at most 2 by Mira Vance',
      4: 'latest 3',
    })
    const without = { exclude: { categories: [], words: [], authors: ['mira vance'] } }
    expect(outcome(pending, digest({}, without))).toMatchObject({
      3: 'the section latest leaves out the author “mira vance”',
      4: 'latest 1',
    })
  })

  test('holds at most so many by one author and from one feed, and the next move up', () => {
    const pending = [
      article('1', { author: 'Ann' }),
      article('2', { author: 'ANN' }),
      article('3', { author: 'Bob' }),
      article('4'),
      article('5'),
    ]
    expect(outcome(pending, digest({}, { perAuthor: 1, maximum: 3 }))).toMatchObject({
      1: 'latest 1',
      2: 'the section latest holds at most 1 by ANN',
      3: 'latest 2',
      4: 'latest 3',
      5: 'the section is full: 3 newer articles come before it',
    })
    const mixed = [article('1'), article('2'), article('3', { feedUrl: other })]
    expect(outcome(mixed, digest({}, { feeds: [news, other], perFeed: 1 }))).toEqual({
      1: 'latest 1',
      2: 'the section latest holds at most 1 from Harbour',
      3: 'latest 2',
    })
  })

  test('leaves out what has not been fresh for long, by first sight and not by the date in the feed', () => {
    const pending = [
      article('1', { publishedAt: '1970-01-01T00:00:00.000Z' }),
      article('2', { seenAt: '2026-11-10T07:00:00.000Z' }),
    ]
    expect(outcome(pending, digest({}, { freshness: '14d' }))).toEqual({
      1: 'latest 1',
      2: 'it is not fresh: first seen on 2026-11-10T07:00:00.000Z, longer ago than 14d',
    })
  })

  test('takes in and leaves out by category, word or author, and what it does not take in goes to the next', () => {
    const sport = { categories: ['Sport'], words: [], authors: [] }
    const horoscope = { categories: [], words: ['horoscope'], authors: ['Madame Zora'] }
    const rules = digest({}, { name: 'sport', include: sport }, { name: 'rest', exclude: horoscope })
    const pending = [
      article('1', { categories: ['sport'] }),
      article('2', { title: 'Bridge opens' }),
      article('3', { title: 'Your HOROSCOPE for the week' }),
      article('4', { author: 'Madame Zora' }),
      article('5', { title: 'Horoscopes are banned' }),
    ]
    expect(outcome(pending, rules)).toEqual({
      1: 'sport 1',
      2: 'rest 1',
      3: 'the section sport takes in only categories Sport',
      4: 'the section sport takes in only categories Sport',
      5: 'rest 2',
    })
  })

  test('that is short is filled up from its spare feed to its minimum, and one that is not leaves it alone', () => {
    const spare = [article('8', { feedUrl: other }), article('9', { feedUrl: other })]
    const rules = digest({}, { minimum: 2, thin: 'backfill', backfill: other })
    expect(outcome([article('1'), ...spare], rules)).toMatchObject({
      1: 'latest 1',
      8: 'latest 2',
      9: expect.stringContaining('has enough'),
    })
    expect(outcome([article('1'), article('2'), ...spare], rules)).toMatchObject({
      8: expect.stringContaining('has enough'),
    })
    expect(inWords(selectArticles([article('1'), ...spare], rules, now)[1])?.reason).toMatch(/^fills the section up/)
    expect(outcome([article('1')], rules)).toEqual({ 1: expect.stringContaining('the section has 1 and needs 2') })
  })

  test('that is short and dropped leaves its articles to a later one, and one that holds them over does not', () => {
    const later = { name: 'later' }
    expect(outcome([article('1')], digest({}, { minimum: 2, thin: 'drop' }, later))).toEqual({ 1: 'later 1' })
    expect(outcome([article('1')], digest({}, { minimum: 2, thin: 'hold' }, later))).toEqual({
      1: expect.stringContaining('stay pending'),
    })
  })

  test('orders as the feed has it: what came last first, and what came at once as it stood there', () => {
    const pending = [
      article('b', { seenAt: '2026-11-25T00:00:00.000Z', publishedAt: null }),
      article('a', { seenAt: '2026-11-25T00:00:00.000Z', publishedAt: '2026-01-01T00:00:00.000Z' }),
      article('c', { publishedAt: '2020-01-01T00:00:00.000Z' }),
    ]
    expect(outcome(pending, digest({}, { order: 'feed' }))).toEqual({ c: 'latest 1', a: 'latest 2', b: 'latest 3' })
  })

  test('orders by a score that its reason shows', () => {
    const image = { url: 'https://harbour.example/p.jpg', width: null, height: null, alt: '' }
    const pending = [article('1'), article('2', { image, author: 'Ann' })]
    const [first] = selectArticles(pending, digest({}, { order: 'score' }), now)
    expect(first?.article.id).toBe('2')
    expect(inWords(first)?.reason).toBe('number 1 of 2 new articles, by score; score 10 (fresh 7, picture 2, author 1)')
  })
})

describe('a score', () => {
  test('falls by one a day to nothing, and a story of many sources is worth more', () => {
    const points = (days: number, sources: number) =>
      scoreOf(article('1', { seenAt: new Date(Date.parse(now) - days * 86_400_000).toISOString() }), sources, now)
        .points
    expect([0, 1, 6.9, 7, 400].map((days) => points(days, 0))).toEqual([7, 6, 1, 0, 0])
    expect([0, 1, 3, 9].map((sources) => points(400, sources))).toEqual([0, 3, 9, 9])
  })
})

describe('an edition', () => {
  test('with nothing in it is held, where the rule is to send it and where no minimum stands', () => {
    for (const thin of [
      { minimum: 0, rule: 'skip' },
      { minimum: 2, rule: 'send' },
    ] as const)
      expect(inWords(decideThin(digest({ thin: { ...thin, notify: false } }, {}), [], undefined, now))).toEqual({
        rule: 'hold',
        reason: 'there is no article in it',
      })
  })

  test('holds at most so many by one author over all sections, and a dropped section uses none of them up', () => {
    const by = (id: string, feedUrl = news) => article(id, { author: 'Ann', feedUrl })
    const rules = digest({ atMost: { author: 1, matching: [] } }, { name: 'one' }, { name: 'two', feeds: [other] })
    expect(outcome([by('1'), by('2', other)], rules)).toEqual({ 1: 'one 1', 2: 'the edition holds at most 1 by Ann' })
    const dropped = digest(
      { atMost: { author: 1, matching: [] } },
      { name: 'one', minimum: 2 },
      { name: 'two', feeds: [other] },
    )
    expect(outcome([by('1'), by('2', other)], dropped)).toMatchObject({ 2: 'two 1' })
  })

  test('does not hold what another tells, what waits for an editor, or anything of that feed, or what is gone', () => {
    const pending = [
      article('1', {
        publishedAs: { title: 'Bridge', source: 'Harbour', where: { code: 'copy-in-edition', number: 3, dueAt: null } },
        feedUrl: other,
      }),
      article('2'),
      article('3', { quarantineReason: { code: 'flood', count: 9, usual: 1 }, feedUrl: 'https://storm.example/' }),
      article('4', { feedUrl: 'https://storm.example/' }),
      article('5', { cut: { at: now, reason: { code: 'page-gone', answer: '404' } } }),
    ]
    const rules = digest({}, { feeds: [news, other, 'https://storm.example/'] })
    expect(outcome(pending, rules)).toEqual({
      1: 'the same story as “Bridge”, from Harbour, which is in edition 3',
      2: 'latest 1',
      3: 'it waits for an editor: 9 new articles at once, where 1 are usual',
      4: 'its feed waits for an editor: 9 new articles at once, where 1 are usual',
      5: 'left out because its page is gone: 404',
    })
  })

  test('that would be skipped goes out when the last was too long ago, and is held when there is nothing in it', () => {
    const rules = digest({ thin: { minimum: 3, rule: 'skip', longestSilence: '21d', notify: false } }, {})
    const choices = selectArticles([article('1')], rules, now)
    const thin = (lastAt: string | undefined, chosen = choices) => inWords(decideThin(rules, chosen, lastAt, now))
    expect(thin('2026-11-20T07:00:00.000Z')).toEqual({
      rule: 'skip',
      reason: '1 new article (this digest needs 3)',
    })
    expect(thin('2026-11-06T06:59:59.000Z')).toMatchObject({
      rule: 'send',
      reason: expect.stringContaining('the longest silence is 21d'),
    })
    expect(thin('2026-11-06T06:59:59.000Z', [])).toMatchObject({ rule: 'hold' })
    expect(thin(undefined)).toMatchObject({ rule: 'skip' }) // nobody has been kept waiting yet
  })

  test('is held when a section that asks is short, and goes with it as it is when somebody approves', () => {
    const rules = digest({}, { minimum: 2, thin: 'ask' })
    const choices = selectArticles([article('1')], rules, now)
    expect(choices[0]?.position).toBe(1)
    expect(inWords(decideThin(rules, choices, undefined, now))).toEqual({
      rule: 'hold',
      reason: 'the section latest has 1 article (it needs 2)',
    })
  })
})
