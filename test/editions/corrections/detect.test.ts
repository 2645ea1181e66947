import { afterEach, expect, test } from 'vitest'
import { compose } from '../../../src/editions/compose/compose.ts'
import { detectOnPages, isCheckDue } from '../../../src/editions/corrections/detect.ts'
import { approve } from '../../../src/editions/review/approve.ts'
import { seal } from '../../../src/editions/seal.ts'
import { saveArticles } from '../../../src/store/articles/articles.ts'
import { latestCorrections, waitingCorrections } from '../../../src/store/corrections/corrections.ts'
import { ensureFeeds } from '../../../src/store/feeds/feeds.ts'
import { toJson } from '../../../src/store/json.ts'
import { day, hour } from '../../../src/time/clock.ts'
import { onBothEngines } from '../../support/databases/engines.ts'
import { type FeedHost, startFeedHost } from '../../support/feeds.ts'
import { makeDatedArticle, newsFeed, openWorld, plainRender, type World } from '../../support/world.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

onBothEngines('asking the pages of an edition again', (freshUrl) => {
  /** An approved edition of two articles, whose pages were looked at just before the seal where `lateCheck` says so. */
  async function open({ lateCheck = true, before = {} as Record<string, string> } = {}) {
    const host = await startFeedHost()
    const feeds = { allow: [`127.0.0.1:${host.port}`] }
    const world = await openWorld({ storeUrl: await freshUrl(), feeds, job: { lateCheck: String(lateCheck) } })
    closing.push(host.close, world.close)
    for (const path of ['/one', '/two']) answer(host, path, before[path] ?? page(`Page of ${path}`))
    const [feed] = await ensureFeeds(world.app.db, [newsFeed], world.clock.now())
    const shown = ['One', 'Two'].map((title) => ({
      ...makeDatedArticle(title, new Date(0)),
      url: `${host.url}/${title.toLowerCase()}`,
    }))
    await saveArticles(world.app.db, feed?.id ?? '', shown, world.clock.now())
    const composed = await compose(world.app, world.digest, world.clock.now())
    const edition = await seal({ ...world.app, render: plainRender }, composed?.id ?? '', world.digest)
    await approve(world.app, edition.id, 'Ada')
    host.asked.length = 0
    return { host, world }
  }

  test('happens four times at most, at its times, and only as robots.txt lets us', async () => {
    const { host, world } = await open()
    for (let passed = 0; passed < 20 * day; passed += hour) {
      world.clock.advance(hour)
      await look(world)
    }
    expect(host.asked.filter((path) => path === '/one')).toHaveLength(4)
    expect(host.mostAtOnce()).toBe(1)
    expect(await waiting(world)).toEqual([])

    const closed = await open()
    closed.host.answer('/robots.txt', 'User-agent: *\nDisallow: /one\n')
    answer(closed.host, '/two', page('Page of /two', 'Correction: it was three all along.'))
    closed.world.clock.advance(3 * hour)
    expect(await look(closed.world)).toBe(1)
    expect(closed.host.asked).toEqual(['/robots.txt', '/two'])
  })

  test('is not done of an edition whose digest does not want it, nor when we are asked to stop', async () => {
    const { host, world } = await open()
    world.clock.advance(3 * hour)
    const off = { ...world.digest, corrections: { for: 'off' } }
    expect(await detectOnPages(world.app, [off])).toBe(0)
    expect(await detectOnPages(world.app, [world.digest], AbortSignal.abort())).toBe(0)
    expect(host.asked).toEqual([])
  })

  test('is done by one of two processes', async () => {
    const { host, world } = await open()
    world.clock.advance(3 * hour)
    await Promise.all([look(world), look(world), look(world)])
    expect(host.asked.filter((path) => path !== '/robots.txt').sort()).toEqual(['/one', '/two'])
  })

  test('proposes what changed there since the seal, once, and takes back what is undone', async () => {
    const { host, world } = await open()
    host.answer('/one', (_, response) => void response.writeHead(410).end())
    answer(host, '/two', page('Another headline', 'This article was corrected: it was three.'))
    world.clock.advance(3 * hour)
    await look(world)
    expect((await waiting(world)).map(({ said, kind, found }) => [said, kind, found]).sort()).toEqual([
      ['One', 'gone', `127.0.0.1:${host.port} answered 410 (it is gone)`],
      ['Two', 'headline', 'Another headline'],
      ['Two', 'note', 'This article was corrected: it was three.'],
    ])
    answer(host, '/one', page('Page of /one'))
    host.answer('/two', (_, response) => void response.writeHead(500).end())
    world.clock.advance(day)
    await look(world)
    expect((await waiting(world)).map(({ said }) => said)).toEqual(['Two', 'Two'])
    answer(host, '/two', page('Page of /two'))
    world.clock.advance(2 * day)
    await look(world)
    expect(await waiting(world)).toEqual([])
    expect((await latestCorrections(world.app.db, 'weekly', 9)).map(({ status }) => status)).toEqual([
      'lapsed',
      'lapsed',
      'lapsed',
    ])
  })

  test('of a page that is missing once says nothing; missing still an hour later, it is proposed as gone', async () => {
    const { host, world } = await open()
    host.answer('/one', (_, response) => void response.writeHead(404).end())
    host.answer('/two', (_, response) => void response.writeHead(404).end())
    world.clock.advance(3 * hour)
    await look(world)
    expect(await waiting(world)).toEqual([])
    answer(host, '/two', page('Page of /two'))
    world.clock.advance(hour - 1)
    expect(await look(world)).toBe(0)
    world.clock.advance(1)
    expect(await look(world)).toBe(2)
    expect((await waiting(world)).map(({ said, kind }) => [said, kind])).toEqual([['One', 'gone']])
    host.answer('/two', (_, response) => void response.writeHead(404).end()) // a day later: that is the first time again
    world.clock.advance(day)
    await look(world)
    expect(await waiting(world)).toHaveLength(1)
  })

  test('of a page that is forbidden, however often, proposes nothing: it may be there for others', async () => {
    const { host, world } = await open()
    for (const path of ['/one', '/two']) host.answer(path, (_, response) => void response.writeHead(403).end())
    for (const passed of [3 * hour, hour, day]) {
      world.clock.advance(passed)
      await look(world)
    }
    expect(host.asked.filter((path) => path === '/one')).toHaveLength(2)
    expect(await waiting(world)).toEqual([])
  })

  test('finds nothing in what the page said already before the seal', async () => {
    const before = { '/one': page('A headline of its own', 'Correction: known before the seal.') }
    const { world } = await open({ before })
    world.clock.advance(3 * hour)
    await look(world)
    expect(await waiting(world)).toEqual([])
  })

  test('where nobody looked before the seal, doubts an old note, and compares headlines from the first look on', async () => {
    const before = { '/one': page('A headline of its own', 'Correction: nobody knows since when.') }
    const { host, world } = await open({ before, lateCheck: false })
    world.clock.advance(3 * hour)
    await look(world)
    expect(await waiting(world)).toMatchObject([
      { kind: 'note', evidence: toJson({ code: 'page-note', also: [{ code: 'note-maybe-older' }] }) },
    ])
    answer(host, '/two', page('Rewritten'))
    world.clock.advance(day)
    await look(world)
    expect((await waiting(world)).map(({ kind, found }) => [kind, found])).toContainEqual(['headline', 'Rewritten'])
  })
})

test('a look is due at each of its times, and a time that was missed is not made up for twice', () => {
  const approvedAt = '2026-11-27T07:00:00.000Z'
  const due = (now: string, lookedAt: string | null) => isCheckDue({ approvedAt, lookedAt, missingAt: null }, now)
  expect(due('2026-11-27T09:59:59.999Z', null)).toBe(false)
  expect(due('2026-11-27T10:00:00.000Z', null)).toBe(true)
  expect(due('2026-11-28T06:59:59.999Z', '2026-11-27T10:00:00.000Z')).toBe(false)
  expect(due('2026-11-28T07:00:00.000Z', '2026-11-27T10:00:00.000Z')).toBe(true)
  expect(due('2026-12-02T07:00:00.000Z', '2026-12-01T07:00:00.000Z')).toBe(false)
  expect(isCheckDue({ approvedAt: null, lookedAt: null, missingAt: null }, '2026-12-02T07:00:00.000Z')).toBe(false)
  const missing = (now: string, lookedAt: string) =>
    isCheckDue({ approvedAt, lookedAt, missingAt: '2026-11-27T10:00:00.000Z' }, now)
  expect(missing('2026-11-27T10:59:59.999Z', '2026-11-27T10:00:00.000Z')).toBe(false)
  expect(missing('2026-11-27T11:00:00.000Z', '2026-11-27T10:00:00.000Z')).toBe(true)
  expect(missing('2026-11-27T12:00:00.000Z', '2026-11-27T11:00:00.000Z')).toBe(false)
})

function look({ app }: World): Promise<number> {
  return detectOnPages(app, app.digests)
}

function waiting({ app }: World) {
  return waitingCorrections(app.db)
}

function page(title: string, note = ''): string {
  return `<head><meta property="og:type" content="article"><meta property="og:title" content="${title}"></head>
<body><article><p>A long story about trams, and how they came to cross the bridge at last.</p><p>${note}</p></article></body>`
}

function answer(host: FeedHost, path: string, html: string): void {
  host.answer(path, (_, response) => void response.setHeader('content-type', 'text/html').end(html))
}
