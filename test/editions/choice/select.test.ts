import { describe, expect, test } from 'vitest'
import { describeReason } from '../../../src/describe/describe.ts'
import { selectArticles } from '../../../src/editions/choice/select.ts'
import { article as dated, digest, news, now } from '../../support/candidates.ts'

const tv = 'https://harbour.example/tv.xml'

const article: typeof dated = (id, given) => dated(id, { publishedAt: '2026-11-26T07:00:00.000Z', ...given })

const order = (choices: ReturnType<typeof selectArticles>) =>
  choices.filter((choice) => choice.position !== null).map((choice) => choice.article.id)

describe('within a section', () => {
  test('the newest stand first, and where dates are the same, what was seen first', () => {
    const pending = [
      article('3', { publishedAt: '2026-11-20T00:00:00.000Z' }),
      article('2'),
      article('4', { publishedAt: '2026-11-26T07:00:00.001Z' }),
      article('1'),
    ]
    const choices = selectArticles(pending, digest({}, {}), now)
    expect(order(choices)).toEqual(['4', '1', '2', '3'])
    expect(choices.map((choice) => choice.position)).toEqual([1, 2, 3, 4])
  })

  test('the order does not depend on the order in which the store gives them', () => {
    const pending = ['a', 'b', 'c', 'd', 'e'].map((id) => article(id))
    expect(order(selectArticles(pending.toReversed(), digest({}, {}), now))).toEqual(
      order(selectArticles(pending, digest({}, {}), now)),
    )
  })

  test('an article dated years back is chosen all the same: only sorting looks at the date', () => {
    const old = article('old', { publishedAt: '1998-01-01T00:00:00.000Z' })
    expect(order(selectArticles([old, article('new')], digest({}, {}), now))).toEqual(['new', 'old'])
  })

  test('an article without a date counts as of when it was seen', () => {
    const undated = article('undated', { publishedAt: null, seenAt: '2026-11-26T12:00:00.000Z' })
    const newer = article('newer', { publishedAt: '2026-11-26T13:00:00.000Z' })
    expect(order(selectArticles([article('older'), undated, newer], digest({}, {}), now))).toEqual([
      'newer',
      'undated',
      'older',
    ])
  })

  test('a date of 2099 does not hold the first place, and one of tonight does', () => {
    const wrong = article('wrong', { publishedAt: '2099-01-01T00:00:00.000Z', seenAt: '2026-11-20T00:00:00.000Z' })
    const embargo = article('tonight', { publishedAt: '2026-11-28T07:00:00.000Z', seenAt: '2026-11-20T00:00:00.000Z' })
    expect(order(selectArticles([wrong, article('news'), embargo], digest({}, {}), now))).toEqual([
      'tonight',
      'news',
      'wrong',
    ])
  })

  test('what does not fit stays without a place, with the reason', () => {
    const pending = ['1', '2', '3'].map((id) => article(id))
    const choices = selectArticles(pending, digest({}, { maximum: 2 }), now)
    expect(choices.map((choice) => [choice.article.id, choice.position, describeReason(choice.reason)])).toEqual([
      ['1', 1, 'newest of 3 new articles'],
      ['2', 2, 'number 2 of 3 new articles, newest first'],
      ['3', null, 'the section is full: 2 newer articles come before it'],
    ])
  })

  test('too few are none at all, and stay pending, with both numbers in the reason', () => {
    const choices = selectArticles([article('1'), article('2')], digest({}, { minimum: 3 }), now)
    expect(order(choices)).toEqual([])
    expect(choices[0]?.reason).toEqual({ code: 'section-dropped', count: 2, minimum: 3 })
    expect(
      order(selectArticles([article('1'), article('2'), article('3')], digest({}, { minimum: 3 }), now)),
    ).toHaveLength(3)
  })
})

describe('between sections', () => {
  test('an article goes to the first that lists its feed, once, even when that one is full or too thin', () => {
    const pending = [article('1'), article('2')]
    const two = digest({}, { name: 'first', maximum: 1 }, { name: 'second' })
    expect(
      selectArticles(pending, two, now).map((choice) => [choice.article.id, choice.section, choice.position]),
    ).toEqual([
      ['1', 'first', 1],
      ['2', 'first', null],
    ])
    expect(order(selectArticles(pending, digest({}, { minimum: 5 }, { name: 'second' }), now))).toEqual([])
  })

  test('each counts its own places from one, in the order of the digest', () => {
    const pending = [article('v', { feedUrl: tv }), article('n')]
    const choices = selectArticles(pending, digest({}, { name: 'news' }, { name: 'tv', feeds: [tv] }), now)
    expect(choices.map((choice) => [choice.section, choice.article.id, choice.position])).toEqual([
      ['news', 'n', 1],
      ['tv', 'v', 1],
    ])
  })

  test('an article whose feed is in none any more is still accounted for', () => {
    expect(selectArticles([article('x', { feedUrl: tv })], digest({}, {}), now)).toEqual([
      {
        kind: 'article',
        article: article('x', { feedUrl: tv }),
        section: '',
        position: null,
        reason: { code: 'no-section' },
      },
    ])
  })
})

test('every pending article gets exactly one choice, with a reason, whatever the rules', () => {
  const pending = Array.from({ length: 60 }, (_, index) =>
    article(`id-${index}`, {
      feedUrl: [news, tv, 'https://gone.example/'][index % 3] ?? news,
      publishedAt: index % 7 ? `2026-11-${String((index % 28) + 1).padStart(2, '0')}T00:00:00.000Z` : null,
    }),
  )
  const rules = [
    digest({}, { maximum: 3 }, { name: 'tv', feeds: [tv], minimum: 99, maximum: 100 }),
    digest({}, { feeds: [news, tv], maximum: 100 }),
    digest({}, { layout: 'have-your-say', feeds: [] }),
  ]
  for (const rule of rules) {
    const choices = selectArticles(pending, rule, now)
    expect(choices.map((choice) => choice.article.id).sort()).toEqual(pending.map((one) => one.id).sort())
    expect(choices.every((choice) => describeReason(choice.reason).length > 10)).toBe(true)
  }
})

test('nothing pending gives nothing', () => {
  expect(selectArticles([], digest({}, {}), now)).toEqual([])
})
