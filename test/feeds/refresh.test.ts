import { afterEach, beforeEach, expect, test } from 'vitest'
import { currentUrl } from '../../src/feeds/feed-address.ts'
import { type RefreshNeeds, refreshDueFeeds, refreshFeeds } from '../../src/feeds/refresh.ts'
import type { Fetcher } from '../../src/http/fetcher.ts'
import { silentLog } from '../../src/log.ts'
import { retryFeedNow } from '../../src/store/feeds/feed-polls.ts'
import { allFeeds, feedByUrl } from '../../src/store/feeds/feeds.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import type { FeedRow } from '../../src/store/schema.ts'
import { hour, minute, msBetween } from '../../src/time/clock.ts'
import { type FakeClock, fakeClock } from '../support/clock.ts'
import { onBothEngines, sqliteUrl } from '../support/databases/engines.ts'
import { type FeedHost, openTestFetcher, redirect, rss, startFeedHost } from '../support/feeds.ts'
import { feedHistory } from '../support/history.ts'

let host: FeedHost
let fetcher: Fetcher
let clock: FakeClock
let closing: (() => unknown)[] = []

beforeEach(async () => {
  host = await startFeedHost()
  fetcher = openTestFetcher()
  clock = fakeClock()
  closing = [host.close, fetcher.close]
})

afterEach(async () => {
  for (const close of closing.reverse()) await close()
})

onBothEngines('refreshing feeds', (freshUrl) => {
  let needs: RefreshNeeds
  const url = (path = '/feed') => host.url + path
  const feed = async (path = '/feed') => (await feedByUrl(needs.db, url(path))) as FeedRow
  const history = async () => (await feedHistory(needs.db)).map(({ what }) => what.replaceAll(host.url, ''))
  const titles = async () => {
    const rows = await needs.db.selectFrom('articles').select('title').orderBy('title').execute()
    return rows.map(({ title }) => title)
  }

  beforeEach(async () => {
    const store: Store = await openStore(await freshUrl(), clock)
    closing.push(store.close)
    needs = { db: store.db, fetcher, clock, log: silentLog }
  })

  test('a feed is asked when it is due and not before, as the feed and its server wish', async () => {
    host.answer('/feed', (_, response) => {
      response.setHeader('cache-control', 'max-age=7200').end(rss(['One'], { channel: '<ttl>180</ttl>' }))
    })
    expect(await refreshDueFeeds(needs, [url()])).toBe(1)
    const { nextFetchAt } = await feed()
    expect(msBetween(clock.now(), nextFetchAt ?? '')).toBeGreaterThanOrEqual(3 * hour)
    clock.advance(3 * hour - minute)
    expect(await refreshDueFeeds(needs, [url()])).toBe(0)
    clock.set(nextFetchAt ?? '')
    expect(await refreshDueFeeds(needs, [url()])).toBe(1)
    expect(host.asked).toEqual(['/feed', '/feed'])
  })

  test('before an edition is made its feeds are asked whether they are due or not', async () => {
    host.answer('/feed', rss(['One']))
    await refreshDueFeeds(needs, [url()])
    host.answer('/feed', rss(['Two', 'One']))
    expect(await refreshFeeds(needs, [url()])).toEqual([
      { url: url(), kind: 'read', articles: 2, added: 1, rejected: 0 },
    ])
  })

  test('two processes do not ask the same feed twice', async () => {
    host.answer('/feed', rss(['One']))
    const [one, other] = await Promise.all([refreshDueFeeds(needs, [url()]), refreshDueFeeds(needs, [url()])])
    expect(one + other).toBe(1)
    expect(host.asked).toEqual(['/feed'])
  })

  test('a feed that moved for good is asked at its new address, and stays the same feed with the same articles', async () => {
    host.answer('/feed', rss(['One']))
    await refreshFeeds(needs, [url()])
    const before = await feed()
    host.answer('/feed', redirect(301, '/new'))
    host.answer('/new', rss(['Two', 'One']))
    expect(await refreshFeeds(needs, [url()])).toMatchObject([{ url: url(), kind: 'read', added: 1 }])
    expect(await refreshFeeds(needs, [url()])).toMatchObject([{ url: url(), kind: 'read', added: 0 }])
    expect(host.asked).toEqual(['/feed', '/feed', '/new', '/new'])
    expect(await feed()).toMatchObject({ id: before.id, url: url(), address: url('/new') })
    expect(await titles()).toEqual(['One', 'Two'])
    expect(await history()).toEqual(['Moved permanently from /feed to /new'])
  })

  test('a move is believed as well where the new place says that nothing changed, and not where it is no feed', async () => {
    host.answer('/feed', (_, response) => void response.setHeader('etag', '"1"').end(rss(['One'])))
    await refreshFeeds(needs, [url()])
    host.answer('/feed', redirect(308, '/new'))
    host.answer('/new', '<html><body>Please log in</body></html>')
    expect(await refreshFeeds(needs, [url()])).toMatchObject([{ kind: 'failed' }])
    expect((await feed()).address).toBeNull()
    host.answer('/new', (request, response) => {
      response.writeHead(request.headers['if-none-match'] === '"1"' ? 304 : 500).end()
    })
    expect(await refreshFeeds(needs, [url()])).toMatchObject([{ kind: 'unchanged' }])
    expect((await feed()).address).toBe(url('/new'))
  })

  test('whole texts are kept of the feeds that are wanted with them, and of one that did not change since as well', async () => {
    const feedWith = (
      text: string,
    ) => `<rss version="2.0"><channel><item><title>One</title><link>https://e.example/1</link>
      <description>Short.</description><content:encoded>&lt;p onclick="x">${text}&lt;/p></content:encoded></item></channel></rss>`
    const show = (text: string) =>
      host.answer('/feed', (request, response) => {
        const same = request.headers['if-none-match'] === `"${text}"`
        if (same) response.writeHead(304).end()
        else response.setHeader('etag', `"${text}"`).end(feedWith(text))
      })
    const bodyOf = async () => {
      const { body } = await needs.db.selectFrom('articles').select('body').executeTakeFirstOrThrow()
      return body && JSON.parse(body)
    }
    const visit = async (...wholeFeeds: string[]) => {
      const [{ kind } = { kind: 'none' }] = await refreshFeeds({ ...needs, wholeFeeds: new Set(wholeFeeds) }, [url()])
      return kind
    }
    show('The whole.')
    expect([await visit(), await bodyOf()]).toEqual(['read', null])
    expect(await visit()).toBe('unchanged')
    expect([await visit(url()), await bodyOf()]).toEqual(['read', { html: '<p>The whole.</p>', cut: false }])
    expect(await visit(url())).toBe('unchanged')
    show('Corrected.')
    expect([await visit(url()), await bodyOf()]).toEqual(['read', { html: '<p>Corrected.</p>', cut: false }])
    show('Nobody wants it.')
    expect([await visit(url('/other')), await bodyOf()]).toEqual(['read', null])
    expect(await visit(url())).toBe('read')
  })

  test('a temporary redirect moves nothing', async () => {
    host.answer('/feed', redirect(302, '/new'))
    host.answer('/new', rss(['One']))
    await refreshFeeds(needs, [url()])
    expect(currentUrl(await feed())).toBe(url())
    expect(await history()).toEqual([])
  })

  test('a feed that moves to the address of another feed stays, and says so once', async () => {
    host.answer('/feed', redirect(301, '/other'))
    host.answer('/other', rss(['One']))
    for (let round = 0; round < 3; round++) await refreshFeeds(needs, [url(), url('/other')])
    expect(await allFeeds(needs.db)).toMatchObject([
      { url: url(), address: null, error: null },
      { url: url('/other'), address: null },
    ])
    expect(await history()).toEqual([
      'Says that it moved to /other, which is another feed here: we fetch it at /feed as before',
    ])
  })

  test('a move that leads nowhere in the end is taken back', async () => {
    host.answer('/feed', redirect(301, '/new'))
    host.answer('/new', rss(['One']))
    await refreshFeeds(needs, [url()])
    host.answer('/feed', rss(['Two', 'One']))
    host.answer('/new', (_, response) => void response.writeHead(404).end())
    for (let round = 0; round < 3; round++) await refreshFeeds(needs, [url()])
    expect(await refreshFeeds(needs, [url()])).toMatchObject([{ kind: 'read', added: 1 }])
    expect((await history()).at(-1)).toBe('The address /new fails: we fetch it at /feed again')
  })

  test('where the place that it moved to is gone for good, it is asked at its first address, at once', async () => {
    host.answer('/feed', redirect(301, '/new'))
    host.answer('/new', rss(['One']))
    await refreshFeeds(needs, [url()])
    host.answer('/new', (_, response) => void response.writeHead(410).end())
    host.answer('/feed', rss(['Two', 'One']))
    expect(await refreshFeeds(needs, [url()])).toMatchObject([{ url: url(), kind: 'read', added: 1 }])
    expect(await feed()).toMatchObject({ address: null, goneAt: null, failures: 0 })
    expect((await history()).at(-1)).toBe('The address /new is gone permanently (410): we fetch it at /feed again')
    host.answer('/feed', redirect(301, '/new'))
    expect(await refreshFeeds(needs, [url()])).toMatchObject([
      { kind: 'failed', reason: expect.objectContaining({ code: 'feed-status', status: 410 }) },
    ])
    expect(await feed()).toMatchObject({ address: null, goneAt: clock.now() })
  })

  test('a feed that is gone is asked again where the job files say, wherever it was gone', async () => {
    host.answer('/feed', redirect(301, '/new'))
    host.answer('/new', rss(['One']))
    await refreshFeeds(needs, [url()])
    await needs.db.updateTable('feeds').set({ goneAt: clock.now() }).execute() // as an earlier version left it
    host.answer('/feed', rss(['Two', 'One']))
    host.asked.length = 0
    expect(await retryFeedNow(needs.db, url())).toBe(true)
    expect(await refreshFeeds(needs, [url()])).toMatchObject([{ kind: 'read', added: 1 }])
    expect(host.asked).toEqual(['/feed'])
  })

  test('a feed that is gone for good is asked no more', async () => {
    host.answer('/feed', (_, response) => void response.writeHead(410).end())
    await refreshDueFeeds(needs, [url()])
    clock.advance(1000 * hour)
    expect(await refreshDueFeeds(needs, [url()])).toBe(0)
    expect(await refreshFeeds(needs, [url()])).toMatchObject([
      { kind: 'failed', reason: { code: 'feed-gone', since: '2026-11-27T07:00:00.000Z' } },
    ])
    expect(host.asked).toEqual(['/feed'])
    expect(await history()).toEqual(['Gone permanently (410): we no longer fetch it'])
  })

  test('a feed that fails is asked ever less often, at most once a day, and comes back at once when it works', async () => {
    host.answer('/feed', (_, response) => void response.writeHead(500).end())
    let visits = 0
    for (let past = 0; past < 48 * hour; past += 5 * minute) {
      visits += await refreshDueFeeds(needs, [url()])
      clock.advance(5 * minute)
    }
    expect(visits).toBeGreaterThan(7)
    expect(visits).toBeLessThan(12)
    expect(await feed()).toMatchObject({
      failures: visits,
      failingSince: '2026-11-27T07:00:00.000Z',
      succeededAt: null,
    })
    host.answer('/feed', rss(['One']))
    await refreshFeeds(needs, [url()])
    const { nextFetchAt, ...fine } = await feed()
    expect(fine).toMatchObject({ failures: 0, error: null, failingSince: null, succeededAt: clock.now() })
    expect(msBetween(clock.now(), nextFetchAt ?? '')).toBeLessThan(7 * hour)
  })

  test('Retry-After is obeyed, also where it is days', async () => {
    for (const [path, hours] of [
      ['/hours', 10],
      ['/days', 72],
    ] as const) {
      const headers = { 'retry-after': String(hours * 3600) }
      host.answer(path, (_, response) => void response.writeHead(429, headers).end())
      await refreshDueFeeds(needs, [url(path)])
      expect(msBetween(clock.now(), (await feed(path)).nextFetchAt ?? '')).toBeGreaterThanOrEqual(hours * hour)
    }
  })

  test('a ttl that is written with a fraction is read', async () => {
    host.answer('/feed', rss(['One'], { channel: '<ttl>300.0</ttl>' }))
    await refreshDueFeeds(needs, [url()])
    expect(await feed()).toMatchObject({ ttl: 300 * 60 })
  })
})

test('a thousand feeds on 250 hosts are asked in one pass, over at most 64 connections and two of a host', async () => {
  const many = await startFeedHost('0.0.0.0')
  const { url: storeUrl, remove } = sqliteUrl()
  const store = await openStore(storeUrl, clock)
  const hosts = Array.from({ length: 250 }, (_, index) => `127.0.1.${1 + index}`)
  const wide = openTestFetcher({ allow: hosts, timeout: 60 })
  closing.push(remove, store.close, many.close, wide.close)
  const busy = new Map<string, number>()
  let mostOfHost = 0
  many.answer('*', (request, response) => {
    const name = request.headers.host ?? ''
    busy.set(name, (busy.get(name) ?? 0) + 1)
    mostOfHost = Math.max(mostOfHost, busy.get(name) ?? 0)
    const answer = (turns: number) => {
      if (turns > 0) return void setImmediate(answer, turns - 1) // so that requests meet
      busy.set(name, (busy.get(name) ?? 0) - 1)
      response.end(rss([`About ${request.url}`]))
    }
    answer(100)
  })
  const urls = hosts.flatMap((name) => [1, 2, 3, 4].map((number) => `http://${name}:${many.port}/${number}`))
  const needs = { db: store.db, fetcher: wide, clock, log: silentLog }
  expect(await refreshDueFeeds(needs, urls)).toBe(1000)
  const feeds = await allFeeds(store.db)
  expect(feeds.filter(({ error }) => error !== null)).toEqual([])
  expect(feeds.length).toBe(1000)
  expect(many.mostAtOnce()).toBeLessThanOrEqual(64)
  expect(many.mostConnections()).toBeLessThan(128) // kept open, they would be hundreds
  expect(mostOfHost).toBe(2)
}, 120_000)
