import { afterEach, expect, test } from 'vitest'
import { detectInFeeds } from '../../../src/editions/corrections/detect.ts'
import { explain } from '../../../src/editions/explain.ts'
import { quarantinedFeeds } from '../../../src/store/ledger/stories.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { type Item, openWeeks, type Weeks, weekFeed } from '../../support/weeks.ts'

let weeks: Weeks
afterEach(() => weeks.close())

const subjects = [
  'Ferry',
  'Harbour wall',
  'Night bus',
  'Allotments',
  'Swimming pool',
  'Sea defences',
  'Town hall',
  'Skate park',
]
const headline = (subject: string) => `${subject}: what the committee decided on Tuesday evening`
const november = (date: number) => `2026-11-${String(date).padStart(2, '0')}T08:00:00Z`
const slug = (subject: string) => subject.toLowerCase().replace(' ', '-')

onBothEngines('week after week', (freshUrl) => {
  const open = async () => {
    weeks = await openWeeks(await freshUrl())
  }
  const stored = async () =>
    Number(
      (
        await weeks.it.app.db
          .selectFrom('articles')
          .select((eb) => eb.fn.countAll().as('n'))
          .executeTakeFirst()
      )?.n,
    )

  /** Eight old entries in the first week; in the second, six of them in another form, and two new ones. */
  async function twoWeeks(
    first: (subject: string, index: number) => Item,
    second: (subject: string, index: number) => Item,
  ) {
    await open()
    weeks.show(weekFeed(subjects.map((subject, index) => first(subject, index))))
    expect((await weeks.edition()).chosen).toHaveLength(8)
    weeks.advance(7)
    const later = [...subjects.slice(2), 'Library', 'Fish market']
    weeks.show(weekFeed(later.map((subject, index) => second(subject, index))))
    const next = await weeks.edition()
    expect(next.chosen).toEqual([headline('Fish market'), headline('Library')])
    expect(await quarantinedFeeds(weeks.it.app.db)).toEqual([])
    expect(await stored()).toBe(10)
    weeks.advance(7)
    expect((await weeks.edition()).chosen).toEqual([])
  }

  const entry = (subject: string, more: Partial<Item>): Item => ({
    title: headline(subject),
    date: november(10 + (headline(subject).length % 9)),
    ...more,
  })

  test.each<[string, (path: string, week: number) => string]>([
    [
      'tracking parameters',
      (path, week) => `https://quay.example/${path}?utm_source=feed&utm_term=w${week}&fbclid=${week}`,
    ],
    [
      'a mail campaign, and the order of parameters',
      (path, week) =>
        week === 1
          ? `https://quay.example/p?id=${path}&lang=cy&mc_cid=a1`
          : `https://quay.example/p?lang=cy&mc_cid=b2&id=${path}`,
    ],
    [
      'scheme, www, port, final slash and fragment',
      (path, week) => (week === 1 ? `http://www.quay.example:80/${path}/` : `https://quay.example/${path}#top`),
    ],
    ['a click id', (path, week) => `https://quay.example/${path}?gclid=${week}xyz`],
  ])('a feed without guids whose links change in %s has only its new entries as new', (_, link) =>
    twoWeeks(
      (subject) => entry(subject, { link: link(slug(subject), 1) }),
      (subject) => entry(subject, { link: link(slug(subject), 2) }),
    ),
  )

  test.each<[string, (path: string, week: number) => string]>([
    ['made anew', (path, week) => `build-${week}-${path}`],
    ['with another scheme', (path, week) => `${week === 1 ? 'http' : 'https'}://quay.example/?p=${path}`],
    [
      'in other case and with a slash',
      (path, week) => (week === 1 ? `https://quay.example/Node/${path}` : `https://www.quay.example/node/${path}/`),
    ],
    ['with the time of an update', (path, week) => `https://quay.example/${path}#2026-1${week}-02T10:00:00Z`],
  ])('guids %s hold up nothing new, and need no editor', (_, guid) =>
    twoWeeks(
      (subject) => entry(subject, { link: `https://quay.example/${slug(subject)}`, guid: guid(slug(subject), 1) }),
      (subject) =>
        entry(subject, {
          link: `https://quay.example/${slug(subject)}`,
          guid: guid(slug(subject), 2),
          text: 'Revised.',
        }),
    ),
  )

  test('guids in another scheme are the same articles at other addresses too', () =>
    twoWeeks(
      (subject) =>
        entry(subject, {
          link: `https://quay.example/old/${slug(subject)}`,
          guid: `http://quay.example/${slug(subject)}`,
        }),
      (subject) =>
        entry(subject, {
          link: `https://quay.example/new/${slug(subject)}`,
          guid: `https://quay.example/${slug(subject)}/`,
        }),
    ))

  test('links that an earlier version stored whole are known under their canonical form', async () => {
    await open()
    const items = subjects.map((subject) =>
      entry(subject, { link: `http://www.quay.example/${slug(subject)}/?utm_source=x` }),
    )
    weeks.show(weekFeed(items))
    await weeks.edition()
    const { db } = weeks.it.app
    for (const { id, url } of await db.selectFrom('articles').select(['id', 'url']).execute())
      await db.updateTable('articles').set({ identity: url }).where('id', '=', id).execute()
    weeks.advance(7)
    const changed = items.map((item, index) =>
      index === 0 ? { ...item, title: 'Quite another headline today' } : item,
    )
    weeks.show(weekFeed([...changed, entry('Library', { link: 'https://quay.example/library' })]))
    expect((await weeks.edition()).chosen).toEqual([headline('Library')])
    expect(await stored()).toBe(9)
  })

  test.each<[string, Item, Item]>([
    [
      'with its date',
      {
        title: 'The five oldest pubs of the quay',
        link: 'https://quay.example/pubs',
        date: '2026-02-03',
        text: 'Where sailors drank in 1780.',
      },
      {
        title: 'Winter timetable for the island ferry',
        link: 'https://quay.example/ferry',
        date: '2026-12-03',
        text: 'Boats leave each hour.',
      },
    ],
    [
      'without a date',
      {
        title: 'The five oldest pubs of the quay',
        link: 'https://quay.example/pubs',
        text: 'Where sailors drank in 1780.',
      },
      {
        title: 'Winter timetable for the island ferry',
        link: 'https://quay.example/ferry',
        text: 'Boats leave each hour from the pier.',
      },
    ],
    [
      'without a text',
      { title: 'The five oldest pubs of the quay', link: 'https://quay.example/pubs', date: '2026-11-03' },
      { title: 'Winter timetable for the island ferry', link: 'https://quay.example/ferry', date: '2026-12-03' },
    ],
  ])('a guid used again for another piece %s is a new article, once, and no correction', async (_, first, second) => {
    await open()
    const other = entry('Library', { link: 'https://quay.example/library', guid: 'lib' })
    weeks.show(weekFeed([{ ...first, guid: 'list-1' }, other]))
    expect((await weeks.edition()).chosen).toHaveLength(2)
    for (const [week, text] of [second.text, second.text, 'Boats leave each half hour.'].entries()) {
      weeks.advance(7)
      weeks.show(weekFeed([{ ...second, ...(text && { text }), guid: 'list-1' }, other]))
      expect((await weeks.edition()).chosen).toEqual(week === 0 ? [second.title] : [])
      await detectInFeeds(weeks.it.app, [weeks.it.digest])
    }
    expect(await stored()).toBe(3)
    expect(await weeks.it.app.db.selectFrom('corrections').selectAll().execute()).toEqual([])
    const answers = await explain(weeks.it.app.db, weeks.it.app.digests, second.link ?? '')
    expect(answers.map(({ edition }) => edition)).toEqual([2])
    weeks.advance(7)
    weeks.show(weekFeed([{ ...second, title: 'Winter timetable for the island ferry, corrected', guid: 'list-1' }]))
    expect((await weeks.edition()).chosen).toEqual([])
    expect(await stored()).toBe(3)
  })

  test('a headline, a text or an address that changes under one guid stays one article', async () => {
    await open()
    const item = entry('Library', { link: 'https://quay.example/library', guid: 'lib', text: 'It opens at nine.' })
    weeks.show(weekFeed([item]))
    await weeks.edition()
    for (const change of [
      { title: 'Nothing like it was' },
      { link: 'https://quay.example/library-2' },
      { title: 'Again another headline', link: 'https://quay.example/library-3' },
    ]) {
      weeks.show(weekFeed([{ ...item, ...change }]))
      weeks.advance(7)
      expect((await weeks.edition()).chosen).toEqual([])
    }
    expect(await stored()).toBe(1)
  })

  test('an old piece that slides into the feed is backlog, with the reason; one that was late is news', async () => {
    await open()
    const now = subjects.map((subject, index) =>
      entry(subject, { link: `https://quay.example/${slug(subject)}`, date: november(12 + index) }),
    )
    weeks.show(weekFeed(now))
    await weeks.edition()
    weeks.advance(7)
    const slid: Item[] = [
      { title: 'How the quay was before the war', link: 'https://quay.example/1938', date: '2019-05-01' },
      { title: 'A summer fair to remember always', link: 'https://quay.example/fair', date: '2026-07-04' },
      { title: 'Minutes of the meeting in early November', link: 'https://quay.example/minutes', date: november(3) },
      { title: 'Something with the date of an empty clock', link: 'https://quay.example/clock', date: '1970-01-01' },
      { title: 'The tram reaches the quay at last', link: 'https://quay.example/tram', date: '2026-12-03' },
    ]
    weeks.show(weekFeed([...now.slice(2), ...slid]))
    expect((await weeks.edition()).chosen).toEqual([
      'Minutes of the meeting in early November',
      'Something with the date of an empty clock',
      'The tram reaches the quay at last',
    ])
    const [answer] = await explain(weeks.it.app.db, weeks.it.app.digests, 'https://quay.example/1938')
    expect(answer?.answer).toMatch(/^in none: backlog: published on 2019-05-01, long before the oldest article/)
  })
})
