import { describe, expect, test } from 'vitest'
import { describeReason } from '../../../src/describe/describe.ts'
import type { ArticleChoice } from '../../../src/editions/choice/choice.ts'
import { matchesFilter } from '../../../src/editions/choice/filter.ts'
import { unmetMinimums } from '../../../src/editions/choice/minimums.ts'
import { selectArticles } from '../../../src/editions/choice/select.ts'
import { decideThin } from '../../../src/editions/choice/thin.ts'
import type { Digest, Section } from '../../../src/editions/digest.ts'
import type { ArticleFilter, MinimumRule } from '../../../src/editions/jobs/fields.ts'
import type { Candidate } from '../../../src/store/articles/articles.ts'
import { article, digest, news, now, outcome } from '../../support/candidates.ts'
import { inWords } from '../../support/history.ts'

const other = 'https://other.example/feed'

const opinion = (id: string, given: Partial<Candidate> = {}) => article(id, { categories: ['Opinion'], ...given })

const of = (filter: Partial<ArticleFilter>): ArticleFilter => ({ categories: [], words: [], authors: [], ...filter })
const atMost = (count: number, filter: Partial<ArticleFilter>) => ({ count, ...of(filter) })
const atLeast = (
  count: number,
  filter: Partial<ArticleFilter>,
  otherwise: MinimumRule['otherwise'] = 'send',
): MinimumRule => {
  return { count, ...of(filter), otherwise }
}

const reasonOf = (id: string, choices: ArticleChoice[]) =>
  inWords(choices.find(({ article }) => article.id === id))?.reason

describe('at most', () => {
  test('so many of a kind stand in a section, the next move up, and the rest says why', () => {
    const sport = (id: string) => article(id, { categories: ['SPORT'] })
    const rules = digest({}, { maximum: 3, atMost: [atMost(1, { categories: ['Sport'], words: ['football'] })] })
    expect(outcome([sport('1'), sport('2'), article('3', { title: 'Football on ice' }), article('4')], rules)).toEqual({
      1: 'latest 1',
      2: 'the section latest holds at most 1 with categories Sport or words football',
      3: 'the section latest holds at most 1 with categories Sport or words football',
      4: 'latest 2',
    })
  })

  test('so many of a kind stand in the whole edition, whichever section they are in', () => {
    const matching = [atMost(1, { categories: ['Opinion'] })]
    const rules = digest({ atMost: { matching } }, { name: 'one' }, { name: 'two', feeds: [other] })
    expect(outcome([opinion('1'), opinion('2', { feedUrl: other }), article('3', { feedUrl: other })], rules)).toEqual({
      1: 'one 1',
      2: 'the edition holds at most 1 with categories Opinion',
      3: 'two 1',
    })
  })
})

describe('at least', () => {
  const one = atLeast(1, { categories: ['Opinion'] })

  test('so many of a kind have a place where newer ones would have filled the section, and both say why', () => {
    const pending = [article('1'), article('2'), article('3'), opinion('4'), opinion('5')]
    const choices = selectArticles(pending, digest({}, { maximum: 2, atLeast: [one] }), now)
    expect(choices.map(({ article, position, reason }) => [article.id, position, describeReason(reason)])).toEqual([
      ['1', 1, 'newest of 5 new articles'],
      ['2', null, '“4” has its place: the section latest holds at least 1 with categories Opinion'],
      ['3', null, 'the section is full: 1 newer articles come before it, and one place is reserved by a rule'],
      [
        '4',
        2,
        'number 4 of 5 new articles, newest first; in because the section latest holds at least 1 with categories Opinion',
      ],
      ['5', null, 'the section is full: 2 newer articles come before it'],
    ])
  })

  test('changes nothing where enough are in by themselves', () => {
    const pending = [article('1'), opinion('2'), article('3'), opinion('4')]
    const rules = digest({}, { maximum: 2 })
    expect(
      selectArticles(pending, { ...rules, sections: rules.sections.map((it) => ({ ...it, atLeast: [one] })) }, now),
    ).toEqual(selectArticles(pending, rules, now))
  })

  test('the best that the other rules allow comes in, not the best of all', () => {
    const pending = [
      article('1', { author: 'Bo' }),
      opinion('2', { seenAt: '2026-10-01T00:00:00.000Z' }),
      opinion('3', { title: 'horoscope' }),
      opinion('4', { author: 'Ann' }),
      opinion('5'),
    ]
    const rules = digest(
      {},
      {
        maximum: 1,
        freshness: '14d',
        exclude: of({ words: ['horoscope'] }),
        atMost: [atMost(1, { authors: ['Ann', 'Bo'] })],
        atLeast: [one],
      },
    )
    expect(outcome(pending, rules)).toMatchObject({ 4: 'latest 1', 5: expect.stringContaining('full') })
  })

  test('two rules that each could spoil the other are both met', () => {
    // The newest opinion comes from the only feed that has a piece by Ann, and one feed may give one piece.
    const pending = [opinion('1', { feedUrl: other }), article('2', { author: 'Ann', feedUrl: other }), opinion('3')]
    const floors = [one, atLeast(1, { authors: ['Ann'] })]
    const rules = digest({}, { feeds: [news, other], maximum: 2, perFeed: 1, atLeast: floors })
    expect(outcome(pending, rules)).toMatchObject({ 2: 'latest 1', 3: 'latest 2' })
  })

  test('in a whole edition: what is passed over in any section comes in, the first section first', () => {
    const sections = [
      { name: 'one', maximum: 1 },
      { name: 'two', feeds: [other], maximum: 1 },
    ]
    const pending = [article('1'), opinion('2'), article('3', { feedUrl: other }), opinion('4', { feedUrl: other })]
    const rules = (count: number) => digest({ atLeast: [atLeast(count, { categories: ['Opinion'] })] }, ...sections)
    expect(outcome(pending, rules(1))).toMatchObject({ 2: 'one 1', 3: 'two 1' })
    expect(outcome(pending, rules(2))).toMatchObject({ 2: 'one 1', 4: 'two 1' })
    expect(reasonOf('1', selectArticles(pending, rules(2), now))).toBe(
      '“2” has its place: the edition holds at least 2 with categories Opinion',
    )
    expect(reasonOf('3', selectArticles(pending, rules(2), now))).toMatch(/^“4” has its place/)
  })

  test('a section before makes room where the whole edition allows one by an author', () => {
    const pending = [article('1', { author: 'Ann' }), opinion('2', { author: 'Ann', feedUrl: other })]
    const rules = digest(
      { atMost: { author: 1, matching: [] } },
      { name: 'one' },
      { name: 'two', feeds: [other], atLeast: [one] },
    )
    expect(outcome(pending, rules)).toMatchObject({ 1: expect.stringContaining('“2” has its place'), 2: 'two 1' })
  })

  test('what waits for an editor, tells a known story or is gone comes in by no rule', () => {
    const pending = [
      article('1'),
      opinion('2', { publishedAs: { title: 'Bridge', source: 'Other', where: { code: 'copy-in-backlog' } } }),
      opinion('3', { cut: { at: now, reason: { code: 'page-gone', answer: 'gone' } } }),
    ]
    expect(outcome(pending, digest({ atLeast: [one] }, { maximum: 1, atLeast: [one] }))).toMatchObject({
      1: 'latest 1',
    })
  })
})

describe('when too few match', () => {
  const short = (otherwise: MinimumRule['otherwise'], minimum = 0) =>
    digest(
      { thin: { minimum, rule: 'hold', notify: false, longestSilence: '21d' } },
      {
        atLeast: [atLeast(2, { categories: ['Opinion'] }, otherwise)],
      },
    )
  const thin = (rules: Digest, pending: Candidate[], lastAt?: string) =>
    inWords(decideThin(rules, selectArticles(pending, rules, now), lastAt, now))
  const words = 'the section latest has 1 with categories Opinion where at least 2 are needed'

  test('the edition goes out, is held or is skipped, as the rule says, with the reason', () => {
    const pending = [article('1'), opinion('2')]
    expect(thin(short('send'), pending)).toEqual({ rule: 'send', reason: words })
    expect(thin(short('hold'), pending)).toEqual({ rule: 'hold', reason: words })
    expect(thin(short('skip'), pending)).toEqual({ rule: 'skip', reason: words })
    expect(thin(short('skip'), [...pending, opinion('3')])).toBeUndefined()
  })

  test('a skip obeys the longest silence, and of several rules the strongest decides and all are told', () => {
    const pending = [article('1'), opinion('2')]
    expect(thin(short('skip'), pending, '2026-11-01T07:00:00.000Z')).toMatchObject({
      rule: 'send',
      reason: expect.stringMatching(/^the section latest has 1 .*the longest silence is 21d$/),
    })
    expect(thin(short('skip', 9), pending)).toEqual({
      rule: 'skip',
      reason: `${words}; 2 new articles (this digest needs 9)`,
    })
    expect(thin(short('send', 9), pending)).toEqual({
      rule: 'hold',
      reason: `2 new articles (this digest needs 9); ${words}`,
    })
  })

  test('a section that its own minimum leaves out owes nothing', () => {
    const short = { minimum: 3, atLeast: [atLeast(2, { categories: ['Opinion'] }, 'hold')] }
    const rules = digest({}, short, { name: 'two', feeds: [other] })
    const pending = [article('1'), opinion('2'), article('3', { feedUrl: other })]
    expect(thin({ ...rules, thin: { ...rules.thin, minimum: 0 } }, pending)).toBeUndefined()
  })
})

describe('of 600 made-up editions', () => {
  const worlds = Array.from({ length: 600 }, (_, seed) => madeUp(seed + 1))

  test('no section is over its maximum, every quota holds and the order of the section is kept', () => {
    for (const { pending, rules } of worlds) {
      const choices = selectArticles(pending, rules, now)
      expect(choices.map(({ article }) => article.id).sort()).toEqual(pending.map(({ id }) => id).sort())
      expect(choices.every(({ reason }) => describeReason(reason).length > 10)).toBe(true)
      const chosen = choices.filter(({ position }) => position !== null).map(({ article }) => article)
      expect(allowed(chosen, rules)).toBe(true)
      for (const { name } of rules.sections) {
        const held = choices.filter(({ section, position }) => section === name && position !== null)
        expect(held.map(({ position }) => position)).toEqual(held.map((_, index) => index + 1))
        expect(held.map(({ article }) => Number(article.id))).toEqual(
          held.map(({ article }) => Number(article.id)).sort((a, b) => a - b),
        )
      }
    }
  })

  test('at least is met whenever there is any choice that meets it under the other rules', () => {
    let possible = 0
    for (const { pending, rules } of worlds) {
      if (!subsets(pending).some((some) => allowed(some, rules) && meets(some, rules))) continue
      possible++
      expect(unmetMinimums(rules, selectArticles(pending, rules, now))).toEqual([])
    }
    expect(possible).toBeGreaterThan(200) // and the others are not a few either
    expect(possible).toBeLessThan(550)
  })

  test('the choice is the same in whichever order the store gives what is pending', () => {
    for (const { pending, rules } of worlds.slice(0, 100))
      expect(outcome(pending.toReversed(), rules)).toEqual(outcome(pending, rules))
  })
})

/** Nine articles, two sections and rules that get in each other's way, the same for the same seed. */
function madeUp(seed: number): { pending: Candidate[]; rules: Digest } {
  let state = seed * 2654435761
  const dice = (sides: number) => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) >>> 0
    return (state >>> 8) % sides
  }
  const kinds = ['Opinion', 'Sport', 'News']
  const authors = ['Ann', 'Bo', '']
  const pending = Array.from({ length: 9 }, (_, index) =>
    article(String(index + 1), {
      feedUrl: dice(2) ? news : other,
      author: authors[dice(3)] ?? '',
      categories: kinds.filter(() => dice(3) === 0),
    }),
  )
  const filter = (): Partial<ArticleFilter> =>
    dice(3) ? { categories: [kinds[dice(3)] ?? ''] } : { authors: [authors[dice(2)] ?? ''] }
  const section = (name: string, feeds: string[]): Partial<Section> => ({
    name,
    feeds,
    maximum: 2 + dice(3),
    ...(dice(2) ? { perAuthor: 1 + dice(2) } : {}),
    ...(dice(3) ? {} : { perFeed: 1 + dice(3) }),
    atMost: dice(2) ? [atMost(1 + dice(2), filter())] : [],
    atLeast: Array.from({ length: dice(3) }, () => atLeast(1, filter())),
  })
  const matching = dice(2) ? [atMost(1 + dice(3), filter())] : []
  const atMostOfAll = { matching, ...(dice(2) ? { author: 1 + dice(2) } : {}) }
  const floors = dice(2) ? [atLeast(1 + dice(2), filter())] : []
  const feeds = dice(2) ? [news] : [news, other]
  return {
    pending,
    rules: digest({ atMost: atMostOfAll, atLeast: floors }, section('one', feeds), section('two', [news, other])),
  }
}

/** What the rules say, written down a second time: an article belongs to the first section that lists its feed. */
function allowed(chosen: Candidate[], { sections, atMost: all }: Digest): boolean {
  const within = (some: Candidate[], most: number | undefined, key: (one: Candidate) => string) =>
    [...Map.groupBy(some, key)].every(([name, group]) => name === '' || group.length <= (most ?? Infinity))
  const capped = (some: Candidate[], rules: { count: number }[]) =>
    rules.every((rule) => some.filter((one) => matchesFilter(one, rule as never)).length <= rule.count)
  return (
    within(chosen, all.author, (one) => one.author) &&
    capped(chosen, all.matching) &&
    sections.every((section) => {
      const some = inSection(chosen, section, sections)
      return (
        some.length <= section.maximum &&
        within(some, section.perAuthor, (one) => one.author) &&
        within(some, section.perFeed, (one) => one.feedUrl) &&
        capped(some, section.atMost)
      )
    })
  )
}

function meets(chosen: Candidate[], { sections, atLeast: all }: Digest): boolean {
  const enough = (some: Candidate[], rules: MinimumRule[]) =>
    rules.every((rule) => some.filter((one) => matchesFilter(one, rule)).length >= rule.count)
  return enough(chosen, all) && sections.every((it) => enough(inSection(chosen, it, sections), it.atLeast))
}

function inSection(chosen: Candidate[], section: Section, sections: Section[]): Candidate[] {
  return chosen.filter(({ feedUrl }) => sections.find(({ feeds }) => feeds.includes(feedUrl)) === section)
}

function subsets(pending: Candidate[]): Candidate[][] {
  return Array.from({ length: 2 ** pending.length }, (_, bits) => pending.filter((_, index) => bits & (1 << index)))
}
