import { describe, expect, test } from 'vitest'
import { describeReason } from '../../../src/describe/describe.ts'
import { articleChoices } from '../../../src/editions/choice/choice.ts'
import { blankEdition } from '../../../src/editions/compose/blank-edition.ts'
import type { Section } from '../../../src/editions/digest.ts'
import type { Draft } from '../../../src/editions/edition.ts'
import { applyEdits, selectEdited } from '../../../src/editions/edits/apply-edits.ts'
import type { Edit, EditChange } from '../../../src/editions/edits/edit.ts'
import { editStatuses } from '../../../src/editions/edits/edit-status.ts'
import type { Candidate } from '../../../src/store/articles/articles.ts'
import { digest, now, article as waiting } from '../../support/candidates.ts'

const feeds = ['news', 'opinion', 'film'].map((name) => `https://harbour.example/${name}.xml`)

const article: typeof waiting = (id, given) =>
  waiting(id, { feedUrl: feeds[0] ?? '', publishedAt: now, seenAt: now, ...given })

const [news = '', opinion = '', film = ''] = feeds
const weekly = digest(
  {},
  { name: 'news', feeds: [news], maximum: 4, perAuthor: 2 },
  { name: 'opinion', feeds: [opinion], maximum: 2, exclude: { categories: [], words: ['sponsored'], authors: [] } },
  { name: 'film', feeds: [film], maximum: 2, minimum: 2, thin: 'drop' },
)
const selectArticles = (articles: Candidate[], edits: Edit[]) =>
  articleChoices(selectEdited({ articles, letters: [] }, weekly, now, edits))
const names = weekly.sections.map(({ name }) => name)

let made = 0
function edit(change: EditChange, who = 'mira'): Edit {
  const number = ++made
  return { ...change, id: `edit-${number}`, editionId: 'e', number, who, at: now, undoneAt: null, undoneBy: null }
}

/** A generator of numbers from 0 to below `limit` that gives the same ones for a seed (mulberry32). */
function randomFrom(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

function freeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) for (const inner of Object.values(value)) freeze(inner)
  return Object.freeze(value)
}

function randomPending(random: (limit: number) => number): Candidate[] {
  return Array.from({ length: 3 + random(20) }, (_, index) => {
    const bars: Partial<Candidate>[] = [
      { retracted: { who: 'Ada', reason: 'wrong' } },
      { publishedAs: { title: 'x', source: 'y', where: { code: 'copy-in-backlog' } } },
      { cut: { at: now, reason: { code: 'page-gone', answer: '404' } } },
      {},
    ]
    return article(`a${index}`, {
      feedUrl: feeds[random(3)] ?? '',
      author: `Author ${random(4)}`,
      publishedAt: new Date(Date.parse(now) - random(1000) * 60_000).toISOString(),
      title: random(5) === 0 ? `sponsored ${index}` : `Title ${index}`,
      ...(random(8) === 0 ? bars[random(4)] : {}),
    })
  })
}

function randomEdits(random: (limit: number) => number, pending: Candidate[]): Edit[] {
  const id = () => `a${random(pending.length + 3)}` // some are not pending
  const section = () => [...names, 'lost'][random(4)] ?? ''
  const changes: (() => EditChange)[] = [
    () => ({ kind: 'pin', target: id(), data: { headline: 'h', section: section() } }),
    () => ({ kind: 'move', target: id(), data: { headline: 'h', section: section() } }),
    () => ({ kind: 'drop', target: id(), data: { headline: 'h' } }),
    () => ({ kind: 'exclude', target: id(), data: { headline: 'h' } }),
    () => ({ kind: 'order', target: section(), data: { articles: [id(), id(), id()] } }),
    () => ({ kind: 'reword', target: id(), data: { headline: 'h', title: `T${random(9)}` } }),
    () => ({ kind: 'reword', target: id(), data: { headline: 'h', summary: `S${random(9)}` } }),
    () => ({
      kind: 'picture',
      target: id(),
      data: { headline: 'h', picture: random(2) ? { url: 'https://x.example/', alt: '' } : null },
    }),
    () => ({ kind: 'introduction', target: '', data: { text: `I${random(9)}` } }),
    () => ({ kind: 'subject', target: '', data: { text: `S${random(9)}` } }),
    () => ({
      kind: 'block',
      target: `b${random(3)}`,
      data: { heading: `H${random(9)}`, text: '', link: null, picture: null, before: section() },
    }),
  ]
  return Array.from({ length: random(12) }, () => edit((changes[random(changes.length)] as () => EditChange)()))
}

function draftOf(pending: Candidate[]): Draft {
  const items = pending.map((one) => ({ kind: 'article' as const, article: { ...one, body: null } }))
  const section = weekly.sections[0] as Section
  const edition = { ...blankEdition('secret', weekly, now, now), number: 1 }
  return { edition, digest: weekly, sections: [{ section, items }], corrections: [], slot: 'slot' }
}

describe('edits applied', () => {
  test('are pure and idempotent, and keep what they promise, whatever they are', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = randomFrom(seed)
      const pending = freeze(randomPending(random))
      const edits = freeze(randomEdits(random, pending))
      const choices = selectArticles(pending, edits)
      const byId = new Map(choices.map((choice) => [choice.article.id, choice]))
      expect(selectArticles(pending, edits)).toEqual(choices)
      const again = selectArticles(
        choices.map(({ article }) => article),
        edits,
      )
      const places = (some: typeof choices) =>
        some
          .map(({ article, section, position, reason }) => [article.id, section, position, describeReason(reason)])
          .sort()
      expect(places(again)).toEqual(places(choices))
      expect([choices.length, byId.size]).toEqual([pending.length, pending.length])

      const last = new Map(
        edits.filter(({ kind }) => ['pin', 'move', 'drop', 'exclude'].includes(kind)).map((one) => [one.target, one]),
      )
      const pins = new Map<string, number>()
      for (const { id, retracted, publishedAs, cut } of pending) {
        const decided = last.get(id)
        if (!decided) continue
        const choice = byId.get(id)
        if (decided.kind === 'drop' || decided.kind === 'exclude') expect(choice?.position).toBeNull()
        else if (
          'section' in decided.data &&
          names.includes(decided.data.section) &&
          !(retracted || publishedAs || cut)
        ) {
          expect(choice).toMatchObject({ section: decided.data.section, position: expect.any(Number) })
          pins.set(decided.data.section, (pins.get(decided.data.section) ?? 0) + 1)
        }
      }
      for (const { name, maximum } of weekly.sections) {
        const positions = choices.flatMap(({ section, position }) => (section === name && position ? [position] : []))
        expect(positions.sort((a, b) => a - b)).toEqual(positions.map((_, index) => index + 1))
        expect(positions.length).toBeLessThanOrEqual(Math.max(maximum, pins.get(name) ?? 0))
      }

      const draft = freeze(draftOf(pending))
      const edited = freeze(applyEdits(draft, edits))
      expect(applyEdits(draft, edits)).toEqual(edited)
      expect(applyEdits(edited, edits)).toEqual(edited)
      const kinds = editStatuses(
        edits,
        choices.map((choice) => ({ ...choice, itemId: choice.article.id })),
        names,
      )
      expect(kinds.size).toBe(edits.length)
    }
  })

  test('are nothing where there are none', () => {
    const pending = randomPending(randomFrom(7))
    const draft = draftOf(pending)
    expect(applyEdits(draft, [])).toBe(draft)
  })

  test('keep a section that would be left out for being short, with what is pinned in it', () => {
    const pending = [article('only', { feedUrl: film }), article('n')]
    const inFilm = (edits: Edit[]) =>
      selectArticles(pending, edits).filter(({ section, position }) => section === 'film' && position)
    expect(inFilm([])).toEqual([])
    expect(inFilm([edit({ kind: 'pin', target: 'only', data: { headline: '', section: 'film' } })])).toHaveLength(1)
  })

  test('count a pin against the rule of its section, and print its copy of a story alone', () => {
    const pending = [
      article('p', { author: 'Ada', publishedAt: '2026-11-01T00:00:00.000Z', story: 's' }),
      article('q', { author: 'Ben', story: 's', seenAt: '2026-11-27T07:00:00.001Z' }),
      ...['1', '2', '3'].map((id) => article(id, { author: 'Ada' })),
    ]
    const pin = edit({ kind: 'pin', target: 'p', data: { headline: '', section: 'news' } })
    const ids = (edits: Edit[]) =>
      selectArticles(pending, edits).flatMap(({ article, position }) => (position ? [article.id] : []))
    expect(ids([])).toEqual(expect.arrayContaining(['q', '1', '2']))
    expect(ids([pin]).sort()).toEqual(['1', 'p'])
  })

  test('say which of them have no effect', () => {
    const place = (itemId: string, position: number | null) => ({ itemId, section: 'news', position })
    const edits = [
      edit({ kind: 'reword', target: 'a', data: { headline: '', title: 'One', summary: 'One' } }),
      edit({ kind: 'reword', target: 'a', data: { headline: '', title: 'Two' } }),
      edit({ kind: 'pin', target: 'a', data: { headline: '', section: 'news' } }),
      edit({ kind: 'drop', target: 'a', data: { headline: '' } }),
      edit({ kind: 'drop', target: 'away', data: { headline: '' } }),
      edit({ kind: 'order', target: 'news', data: { articles: ['away'] } }),
      { ...edit({ kind: 'subject', target: '', data: { text: 'x' } }), undoneAt: now },
      edit({ kind: 'block', target: 'b', data: { heading: '', text: '', link: null, picture: null, before: 'lost' } }),
    ]
    const known = [...editStatuses(edits, [place('a', 1)], names).values()]
    expect(known).toEqual(['applies', 'applies', 'replaced', 'gone', 'gone', 'gone', 'undone', 'gone'])
  })
})
