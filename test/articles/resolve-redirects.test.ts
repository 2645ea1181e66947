import { afterEach, beforeEach, expect, test } from 'vitest'
import { type RedirectNeeds, resolveRedirects } from '../../src/articles/resolve-redirects.ts'
import type { Digest } from '../../src/editions/digest.ts'
import { readDigest } from '../../src/editions/jobs/read-job.ts'
import { addArticlesToLedger } from '../../src/editions/ledger.ts'
import type { Fetcher } from '../../src/http/fetcher.ts'
import { isOffSite } from '../../src/http/url.ts'
import { silentLog } from '../../src/log.ts'
import { refreshNow } from '../../src/pipeline/refresh-feeds.ts'
import { articlesByUrl, pendingArticles } from '../../src/store/articles/articles.ts'
import { canonicalAddress } from '../../src/store/articles/canonical-address.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { day, hour } from '../../src/time/clock.ts'
import { type FakeClock, fakeClock } from '../support/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { type FeedHost, openTestFetcher, redirect, startFeedHost } from '../support/feeds.ts'

test.each([
  ['https://www.ledger.example/a', 'https://ledger.example/', false],
  ['https://news.ledger.example/a', 'https://www.ledger.example/', false],
  ['https://ledger.example/a', 'http://feeds.ledger.example/rss', false],
  ['https://proxy.example/a', 'https://ledger.example/', true],
  ['https://otherledger.example/a', 'https://ledger.example/', true],
])('%s in a feed of %s stands elsewhere: %s', (address, home, elsewhere) => {
  expect(isOffSite(address, home)).toBe(elsewhere)
})

/** The feed and its site are at 127.0.0.1; the proxy is at 127.0.0.2, and another one at 127.0.0.3. */
let host: FeedHost
let fetcher: Fetcher
let clock: FakeClock
let closing: (() => unknown)[] = []
const site = 'https://ledger.example'
const allow = ['127.0.0.1', '127.0.0.2', '127.0.0.3']
const proxied = (path: string, at = 2) => `http://127.0.0.${at}:${host.port}${path}`

beforeEach(async () => {
  host = await startFeedHost('0.0.0.0')
  host.answer('/robots.txt', 'User-agent: *\nAllow: /')
  fetcher = openTestFetcher({ allow })
  clock = fakeClock()
  closing = [host.close, fetcher.close]
})
afterEach(async () => {
  for (const close of closing.reverse()) await close()
})

type Item = { link: string; title?: string; guid?: string }

function feed(...items: Item[]): string {
  const item = ({ link, title = 'One', guid = link }: Item) =>
    `<item><title>${title}</title><link>${link}</link><guid>${guid}</guid></item>`
  return `<rss version="2.0"><channel><title>T</title><link>${host.url}/</link>${items.map(item).join('')}</channel></rss>`
}

onBothEngines('where addresses lead', (freshUrl) => {
  let needs: RedirectNeeds

  beforeEach(async () => {
    const store: Store = await openStore(await freshUrl(), clock)
    closing.push(store.close)
    needs = { db: store.db, fetcher, clock, log: silentLog }
  })

  async function show(...items: Item[]) {
    host.answer('/feed', feed(...items))
    return await refreshNow(needs, [`${host.url}/feed`])
  }
  const articles = async () =>
    (await needs.db.selectFrom('articles').select(['url', 'canonical', 'askAt']).orderBy('id').execute()).map(
      ({ url, canonical, askAt }) => ({ url, canonical, waits: askAt !== null }),
    )
  const asked = () => host.asked.filter((path) => !/^\/(?:feed|robots\.txt)$/.test(path))
  const asGiven = (link: string) => [{ url: link, canonical: canonicalAddress(link), waits: false }]

  test('an article behind a proxy is known by the address that it leads to; readers go there if that is for good', async () => {
    host.answer('/~r/1', redirect(301, `${site}/one/?utm_source=rss#top`))
    host.answer('/~r/2', redirect(302, `${site}/two`))
    await show({ link: proxied('/~r/1') }, { link: proxied('/~r/2'), title: 'Two' })
    expect(await articles()).toEqual([
      { url: `${site}/one/?utm_source=rss#top`, canonical: `${site}/one`, waits: false },
      { url: proxied('/~r/2'), canonical: `${site}/two`, waits: false },
    ])
    expect(await articlesByUrl(needs.db, proxied('/~r/1'))).toMatchObject([{ title: 'One' }])
  })

  test('the same story behind a proxy and at home is told once', async () => {
    const [home, other] = [`${host.url}/home`, `${host.url}/feed`]
    const digest = digestOf(home, other)
    const shows = async (homes: Item, others: Item) => {
      host.answer('/home', feed(homes))
      await show(others)
      await refreshNow(needs, [home])
      await addArticlesToLedger(needs, digest)
    }
    await shows({ link: `${host.url}/0`, title: 'Zero' }, { link: `${host.url}/00`, title: 'Nought' })
    clock.advance(day)
    host.answer('/~r/1', redirect(302, `${host.url}/1?utm_source=proxy`))
    await shows({ link: `${host.url}/1`, title: 'A bridge' }, { link: proxied('/~r/1'), title: 'What opened' })
    const pending = await pendingArticles(needs.db, digest.name)
    const bridge = pending.find(({ title }) => title === 'A bridge')
    expect(pending.find(({ title }) => title === 'What opened')?.story).toBe(bridge?.story)
  })

  test('each is asked once, and stays where it led when the feed is read again', async () => {
    host.answer('/~r/1?utm_medium=feed', redirect(301, `${site}/one`))
    await show({ link: proxied('/~r/1?utm_medium=feed'), guid: 'g' })
    const before = await articles()
    expect(before).toEqual([{ url: `${site}/one`, canonical: `${site}/one`, waits: false }])
    clock.advance(day)
    await show({ link: proxied('/~r/1?utm_medium=rss'), guid: 'g', title: 'One, told anew' })
    expect(await articles()).toEqual(before)
    expect(asked()).toEqual(['/~r/1?utm_medium=feed'])
  })

  test('a feed that gives another address later is believed', async () => {
    host.answer('/~r/1', redirect(301, `${site}/one`))
    await show({ link: proxied('/~r/1'), guid: 'g' })
    await show({ link: `${site}/moved`, guid: 'g' })
    expect(await articles()).toEqual(asGiven(`${site}/moved`))
  })

  test('an article at home, or at a host of the same site, is not asked for', async () => {
    await show({ link: `${host.url}/one` }, { link: '/two', title: 'Two' })
    expect(asked()).toEqual([])
    expect(host.asked).toEqual(['/feed'])
  })

  test('where HEAD is refused GET is tried, and its page is not read', async () => {
    const methods: (string | undefined)[] = []
    host.answer('/~r/1', ({ method }, response) => {
      methods.push(method)
      response.writeHead(method === 'HEAD' ? 405 : 301, { location: `${site}/one` }).end()
    })
    await show({ link: proxied('/~r/1') })
    expect(methods).toEqual(['HEAD', 'GET'])
    expect(await articles()).toMatchObject([{ canonical: `${site}/one` }])
  })

  test('one hop is followed, and a redirect to itself leads nowhere', async () => {
    host.answer('/~r/1', redirect(301, '/~r/2'))
    host.answer('/~r/2', redirect(301, '/~r/1'))
    host.answer('/loop', redirect(301, '/loop'))
    await show({ link: proxied('/~r/1') }, { link: proxied('/loop'), title: 'Two' })
    expect(asked().toSorted()).toEqual(['/loop', '/~r/1'])
    expect((await articles()).map(({ url }) => url)).toEqual([proxied('/~r/2'), proxied('/loop')])
  })

  test.each([
    ['to a private address', 'http://10.0.0.1/admin'],
    ['to the cloud’s own', 'http://169.254.169.254/latest/meta-data/'],
    ['that runs', 'javascript:alert(1)'],
    ['to a file', 'file:///etc/passwd'],
    ['with a name and a password', 'https://mira:secret@ledger.example/one'],
    ['to no address', 'http://['],
    ['to nowhere', ''],
    ['to a front page', `${site}/?utm_source=rss`],
  ])('a redirect %s leaves the article as its feed gives it, for good', async (_, location) => {
    host.answer('/~r/1', (_, response) => void response.writeHead(301, location === '' ? {} : { location }).end())
    await show({ link: proxied('/~r/1') })
    clock.advance(2 * day)
    await show({ link: proxied('/~r/1') })
    expect(await articles()).toEqual(asGiven(proxied('/~r/1')))
    expect(asked()).toEqual(['/~r/1'])
  })

  test('one place for several pieces of a feed is a wall: they keep their addresses', async () => {
    const items = [1, 2, 3].map((number) => ({ link: proxied(`/~r/${number}`), title: `Piece ${number}` }))
    for (const number of [1, 2, 3]) host.answer(`/~r/${number}`, redirect(301, `${site}/sign-in`))
    await show(...items)
    await show(...items)
    expect(await articles()).toEqual(items.flatMap(({ link }) => asGiven(link)))
  })

  test('what robots.txt forbids is not asked', async () => {
    host.answer('/robots.txt', 'User-agent: *\nDisallow: /~r')
    await show({ link: proxied('/~r/1') })
    expect(asked()).toEqual([])
    expect(await articles()).toEqual(asGiven(proxied('/~r/1')))
  })

  test('a host that gives no answer is asked again while the article is new, and the others meanwhile', async () => {
    for (const path of ['/broken/1', '/broken/2']) host.answer(path, ({ socket }) => void socket.destroy())
    host.answer('/~r/1', redirect(301, `${site}/one`))
    const items = [proxied('/broken/1', 3), proxied('/broken/2', 3), proxied('/~r/1')]
    await show(...items.map((link, index) => ({ link, title: `Piece ${index}` })))
    expect((await articles()).map(({ waits }) => waits)).toEqual([true, true, false])
    expect(asked().toSorted()).toEqual(['/broken/1', '/~r/1']) // the second is not tried where the first one failed
    host.answer('/broken/2', redirect(301, `${site}/two`))
    await resolveRedirects(needs)
    expect(asked()).toHaveLength(2)
    host.answer('/broken/1', (_, response) => void response.writeHead(503).end())
    clock.advance(hour)
    await resolveRedirects(needs)
    expect((await articles()).map(({ url, waits }) => [url, waits])).toEqual([
      [items[0], true],
      [`${site}/two`, false],
      [`${site}/one`, false],
    ])
    clock.advance(day)
    await resolveRedirects(needs)
    clock.advance(day)
    expect((await articles()).map(({ waits }) => waits)).toEqual([false, false, false])
  })

  test('a host that is slow keeps nobody', async () => {
    needs.fetcher = openTestFetcher({ allow, timeout: 1 })
    closing.push(needs.fetcher.close)
    host.answer('/slow', () => {})
    expect(await show({ link: proxied('/slow') })).toMatchObject([{ kind: 'read', added: 1 }])
    expect(await articles()).toEqual([{ ...asGiven(proxied('/slow'))[0], waits: true }])
  })

  test('40 are asked in a pass, one at a time of each host, and the others in the next; nothing is asked twice', async () => {
    const items = Array.from({ length: 90 }, (_, number) => ({
      link: proxied(`/~r/${number}`, 2 + (number % 2)),
      title: `Piece ${number}`,
    }))
    const busy = new Map<string, number>()
    let mostOfHost = 0
    host.answer('*', ({ url, headers: { host: name = '' } }, response) => {
      busy.set(name, (busy.get(name) ?? 0) + 1)
      mostOfHost = Math.max(mostOfHost, busy.get(name) ?? 0)
      setImmediate(() => {
        busy.set(name, (busy.get(name) ?? 0) - 1)
        response.writeHead(301, { location: `${site}${url}` }).end()
      })
    })
    await show(...items)
    expect(asked()).toHaveLength(40)
    expect(mostOfHost).toBe(1)
    await Promise.all([resolveRedirects(needs), resolveRedirects(needs)]) // two processes
    await resolveRedirects(needs)
    expect(new Set(asked()).size).toBe(90)
    expect(asked()).toHaveLength(90)
    expect((await articles()).filter(({ url }) => !url.startsWith(site))).toEqual([])
  })
})

function digestOf(...feeds: string[]): Digest {
  const minimal = readDigest('fixtures/jobs/minimal.yml', 'templates')
  return { ...minimal, sections: minimal.sections.map((section) => ({ ...section, feeds })) }
}
