import { describe, expect, test } from 'vitest'
import type { PageCheck } from '../../../src/articles/recheck-page.ts'
import { headlineKey, isDifferentHeadline, pageChanges } from '../../../src/editions/corrections/changes.ts'

const sites = ['The Magazine', '']

describe('a headline', () => {
  test.each([
    ['Council opens its books', 'COUNCIL OPENS ITS BOOKS'],
    ['Council opens its books', 'Council  opens its books.'],
    ['The mayor’s “plan”', "The mayor's 'plan'"],
    ['Council re-opens its books', 'Council reopens its books'],
    ['Council opens its books', 'Council opens its books | The Magazine'],
    ['Council opens its books - The Magazine', 'Council opens its books'],
    ['Council opens its books', 'Council opens its books · The Other Paper'],
    ['Council opens its books', 'UPDATE 2-Council opens its books'],
    ['Council opens its books', 'Breaking: Council opens its books'],
    ['Council opens its books', 'Council opens its books (updated 10:32 GMT)'],
    ['10:32 Council opens its books', '14:05 Council opens its books'],
    ['Council opens its books, 10:32 GMT', 'Council opens its books, 4.15pm'],
    ['Budget live: chancellor stands up', 'Budget live: chancellor sits down'],
    ['Storm Ada – live updates', 'Storm Ada leaves thousands without power – as it happened'],
    ['1,500 trams', '1500 trams'],
  ])('%j says the same as %j', (before, after) => {
    expect([isDifferentHeadline(before, after, sites), isDifferentHeadline(after, before, sites)]).toEqual([
      false,
      false,
    ])
  })

  test.each([
    ['Council opens its books', 'Council refuses to open its books'],
    ['Mayor Anna Ruis resigns', 'Mayor Ana Ruiz resigns'],
    ['Trams cost £5', 'Trams cost $5'],
    ['Trams cost £1.5m', 'Trams cost £15m'],
    ['Trams cost 5%  more', 'Trams cost 5 more'],
    ['Growth of 0.3', 'Growth of -0.3'],
    ['Opinion | Trams are a triumph', 'Opinion | Trams are a disaster'],
    ['Editorial · Trams', 'Editorial · Buses'],
    ['Mayor lied - opposition', 'Mayor lied'],
    ['José Muñoz resigns', 'Jose Munoz resigns'],
    ['Where the rich live', 'Where the poor live'],
    ['CORRECTED-Council opens its books', 'Council opens its books'],
    ['Trams: 5 10', 'Trams: 510'],
    ['Polls close at 9.30pm', 'Polls close at 10.30pm'],
    ['2.50 per cent more trams', '3.50 per cent more trams'],
    ['…', 'Council opens its books'],
  ])('%j says something else than %j', (before, after) => {
    expect([isDifferentHeadline(before, after, sites), isDifferentHeadline(after, before, sites)]).toEqual([true, true])
  })

  test('of signs alone has a key of its own', () => {
    expect(headlineKey('…')).toBe('…')
    expect(headlineKey('…')).not.toBe(headlineKey('!'))
  })
})

describe('a page', () => {
  const said = {
    saidTitle: 'Council opens its books',
    saidNote: '',
    pageTitle: 'The council has opened its books' as string | null,
    pageNote: '' as string | null,
    approvedAt: '2026-11-27T07:00:00.000Z',
    source: 'The Magazine',
  }
  const page = (given: Partial<PageCheck & { kind: 'there' }>): PageCheck => ({
    kind: 'there',
    address: 'https://magazine.example/books',
    canonical: 'https://magazine.example/books',
    title: 'The council has opened its books',
    isArticle: true,
    note: null,
    ...given,
  })
  const kindsOf = (one: PageCheck, before = said) => pageChanges(before, one).changes.map(({ kind }) => kind)

  test('with a headline of its own from the start is no change, nor when it takes over what was sent', () => {
    expect(kindsOf(page({}))).toEqual([])
    expect(kindsOf(page({ title: 'Council opens its books' }))).toEqual([])
    expect(kindsOf(page({ title: 'Council closes its books' }))).toEqual(['headline'])
  })

  test('that nobody had seen before, is no article, or names no headline says nothing about headlines', () => {
    expect(kindsOf(page({ title: 'Council closes its books' }), { ...said, pageTitle: null })).toEqual([])
    expect(kindsOf(page({ title: 'Sign in', isArticle: false }))).toEqual([])
    expect(kindsOf(page({ title: '' }))).toEqual([])
  })

  test('tells of a correction that is new, not of one that stood there before or names an earlier day', () => {
    const note = (text: string, on: string | null = null) => page({ note: { text, on } })
    expect(kindsOf(note('Correction: five trams, not six.'))).toEqual(['note'])
    expect(
      kindsOf(note('Correction: five trams, not six.'), { ...said, pageNote: 'Correction: Five trams, not six' }),
    ).toEqual([])
    expect(kindsOf(note('Amended on 26 November 2026 to …', '2026-11-26'))).toEqual([])
    expect(kindsOf(note('Amended on 27 November 2026 to …', '2026-11-27'))).toEqual(['note'])
    const [doubtful] = pageChanges({ ...said, pageNote: null }, note('Correction: five trams, not six.')).changes
    expect(doubtful?.evidence).toEqual({ code: 'page-note', also: [{ code: 'note-maybe-older' }] })
  })

  test('that is gone says so, and nothing of headline or note; one that the network kept from us says nothing at all', () => {
    expect(pageChanges(said, { kind: 'gone', reason: 'magazine.example answered 410', isLasting: true })).toMatchObject(
      {
        kinds: ['gone'],
        changes: [{ kind: 'gone', found: 'magazine.example answered 410' }],
      },
    )
    expect(pageChanges(said, { kind: 'unknown', reason: 'timeout' })).toEqual({ kinds: [], changes: [] })
  })
})
