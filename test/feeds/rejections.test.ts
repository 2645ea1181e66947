import { afterEach, beforeEach, expect, test } from 'vitest'
import { explain } from '../../src/editions/explain.ts'
import { refreshFeeds } from '../../src/feeds/refresh.ts'
import { rejectionText } from '../../src/feeds/rejection.ts'
import { articlesByUrl } from '../../src/store/articles/articles.ts'
import { findRejections, lastRejections, maxRejectionsPerFeed } from '../../src/store/feeds/rejections.ts'
import { toJson } from '../../src/store/json.ts'
import { addMs, minute } from '../../src/time/clock.ts'
import { type FakeClock, fakeClock } from '../support/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { type FeedHost, startFeedHost } from '../support/feeds.ts'
import { openWorld, type World } from '../support/world.ts'

let host: FeedHost
let world: World
let clock: FakeClock
const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const feed = (items: string) => `<rss version="2.0"><channel><title>The Magazine</title>${items}</channel></rss>`
const item = (title: string, link: string, guid: string) =>
  `<item><title>${title}</title><link>${link}</link><guid isPermaLink="false">${guid}</guid></item>`

onBothEngines('what a feed shows', (freshUrl) => {
  const url = () => `${host.url}/feed`
  const db = () => world.app.db
  const shows = async (items: string) => {
    host.answer('/feed', feed(items))
    await refreshFeeds(world.app, [url()])
    clock.advance(minute)
  }

  beforeEach(async () => {
    host = await startFeedHost()
    closing.push(host.close)
    clock = fakeClock()
    const sections = `\n  - { name: latest, title: Latest, layout: latest, feeds: ["${url()}"], maximum: 5 }`
    world = await openWorld({ storeUrl: await freshUrl(), clock, job: { sections }, feeds: { allow: ['127.0.0.1'] } })
    closing.push(world.close)
  })

  test('and what is turned down is kept with its reason, and found by its link, its guid and its title', async () => {
    const first = clock.now()
    await shows(item('Picture of the day', 'data:image/png,x', 'pic-1') + item('A', 'https://magazine.example/a', 'a'))
    await shows(item('Picture of the day!', 'data:image/png,x', 'pic-1'))
    await shows(item('B', 'https://magazine.example/b', 'b'))
    const reason = 'its link is not an address of the web'
    for (const what of ['data:image/png,x', 'pic-1', 'picture of the day'])
      expect(await findRejections(db(), what)).toMatchObject([
        {
          feedUrl: url(),
          title: 'Picture of the day!',
          reason: toJson({ code: 'link-not-web' }),
          firstAt: first,
          lastAt: addMs(first, minute),
        },
      ])
    expect(await findRejections(db(), 'https://magazine.example/a')).toEqual([])
    expect((await lastRejections(db(), 5)).map(rejectionText)).toEqual([
      `“Picture of the day!” (data:image/png,x): ${reason}`,
    ])
  })

  test('wrong in every entry, always others, fills no store, and the last are kept', async () => {
    const many = (prefix: string) =>
      Array.from({ length: 150 }, (_, at) => item(`${prefix} ${at}`, 'javascript:x()', `${prefix}-${at}`)).join('')
    await shows(many('old'))
    await shows(many('new'))
    const kept = (await lastRejections(db(), 1000)).map(({ guid }) => guid)
    expect(kept).toHaveLength(maxRejectionsPerFeed)
    expect(kept.slice(0, 150).every((guid) => guid.startsWith('new-'))).toBe(true)
    expect(await lastRejections(db(), 3)).toHaveLength(3)
  })

  test('of itself as a whole is one rejection, whatever the count in it', async () => {
    const entries = (count: number) =>
      Array.from({ length: count }, (_, at) => item(`A ${at}`, `https://magazine.example/${at}`, `${at}`)).join('')
    await shows(entries(5003))
    await shows(entries(5004))
    expect((await lastRejections(db(), 5)).map(rejectionText)).toEqual([
      '4 more entries than the 5000 that are read at once',
    ])
  })

  test('under another address later is known by both, and by its title', async () => {
    await shows(item('The bridge opens', 'https://magazine.example/draft-17', 'bridge'))
    await shows(item('The bridge opens', 'https://magazine.example/bridge', 'bridge'))
    const known = ['https://magazine.example/draft-17?utm_source=rss', 'https://www.magazine.example/bridge/', 'bridge']
    for (const what of [...known, 'the bridge opens'])
      expect(await explain(db(), world.app.digests, what)).toMatchObject([
        { answer: expect.stringContaining('pending: seen on') },
      ])
    expect(await articlesByUrl(db(), 'the bridge opens')).toEqual([]) // a title pulls nothing
  })

  test('under another address each time is known by the last ten', async () => {
    for (let at = 0; at < 14; at++) await shows(item('One', `https://magazine.example/${at}`, 'one'))
    const found = await Promise.all(
      Array.from({ length: 14 }, async (_, at) => articlesByUrl(db(), `https://magazine.example/${at}`)),
    )
    expect(found.map((articles) => articles.length)).toEqual([0, 0, 0, ...Array(11).fill(1)])
  })
})
