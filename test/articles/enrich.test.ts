import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { enrichArticles } from '../../src/articles/enrich.ts'
import type { Fetcher } from '../../src/http/fetcher.ts'
import { silentLog } from '../../src/log.ts'
import type { NewArticle, WholeArticle } from '../../src/store/articles/article.ts'
import { articlesByIds, articlesByUrl, saveArticles } from '../../src/store/articles/articles.ts'
import { pageAt } from '../../src/store/articles/pages.ts'
import type { Reason } from '../../src/store/events/reason.ts'
import { ensureFeeds } from '../../src/store/feeds/feeds.ts'
import { toJson } from '../../src/store/json.ts'
import { openStore, type Store } from '../../src/store/open.ts'
import { day, hour, minute } from '../../src/time/clock.ts'
import { type FakeClock, fakeClock } from '../support/clock.ts'
import { onBothEngines } from '../support/databases/engines.ts'
import { type FeedHost, openTestFetcher, redirect, startFeedHost } from '../support/feeds.ts'
import { makeDatedArticle } from '../support/world.ts'

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

const page =
  '<html><head><meta property="og:description" content="What the page says."><meta name="author" content="Mira Vance"></head></html>'

const html = (text: string) => (_: unknown, response: ServerResponse) =>
  void response.setHeader('content-type', 'text/html').end(text)

const paragraph =
  'The people who live by the water said that they had waited for it long enough, and that they would wait again. '
const textPage = `<html><head><title>The ferry</title></head><body>
  <nav><a href="/">Home</a> <a href="/subscribe">Subscribe</a></nav>
  <article><h1>The ferry is back</h1><p class="byline">By Mira Vance</p>
  <p onclick="alert(1)">The ferry is back. <a href="/quay">The quay</a> <a href="javascript:evil()">is</a> not. ${paragraph}</p>
  <p>${paragraph.repeat(3)}<script>evil()</script><b>So they say.</b><img src="https://evil.example/x.png"></p>
  <p>${paragraph.repeat(2)}</p></article><footer>Subscribe to us</footer></body></html>`

onBothEngines('enriching', (freshUrl) => {
  let store: Store

  beforeEach(async () => {
    store = await openStore(await freshUrl(), clock)
    closing.push(store.close)
    host.answer('/one', (_, response) => void response.setHeader('content-type', 'text/html').end(page))
  })

  /** An article at this path, as a feed would show it. */
  async function show(path: string, own: Partial<NewArticle> = {}): Promise<WholeArticle> {
    const [feed] = await ensureFeeds(store.db, ['https://feeds.example/'], clock.now())
    const url = host.url + path
    const shown = {
      ...makeDatedArticle('One', new Date(clock.now())),
      identity: url,
      url,
      summary: '',
      author: '',
      ...own,
    }
    await saveArticles(store.db, feed?.id ?? '', [shown], clock.now())
    return await known(path)
  }
  const known = async (path: string) => {
    const [found] = await articlesByUrl(store.db, host.url + path)
    return (await articlesByIds(store.db, [found?.id ?? '']))[0] as WholeArticle
  }
  const enrichFor = (whole: boolean, ...articles: WholeArticle[]) =>
    enrichArticles(
      { db: store.db, fetcher, clock, log: silentLog },
      articles.map((one) => ({ ...one, whole })),
    )
  const enrich = (...articles: WholeArticle[]) => enrichFor(false, ...articles)

  test('a page that names another address is recognised by it, its readers stay, and no front page counts', async () => {
    const naming = (href: string) => (_: unknown, response: ServerResponse) =>
      void response.setHeader('content-type', 'text/html').end(`<link rel="canonical" href="${href}">${page}`)
    host.answer('/amp/one', naming('/one'))
    host.answer('/all', naming('/'))
    await enrich(await show('/amp/one'), await show('/all'))
    expect(await known('/amp/one')).toMatchObject({
      url: `${host.url}/amp/one`,
      canonical: `${host.url.replace('http:', 'https:')}/one`,
    })
    expect((await known('/all')).canonical).toMatch(/all$/)
    await show('/amp/one', { title: 'Two' })
    expect((await known('/amp/one')).canonical).toMatch(/\/one$/) // also when the feed is read again
  })

  test('what the feed left out comes from the page; what the feed says stays, also when the feed is read again', async () => {
    expect(await enrich(await show('/one', { author: 'A. Writer' }))).toBe(1)
    expect(await known('/one')).toMatchObject({ summary: 'What the page says.', author: 'A. Writer' })
    await show('/one')
    expect(await known('/one')).toMatchObject({ summary: 'What the page says.', author: 'Mira Vance' })
    await show('/one', { summary: 'The feed speaks.' })
    expect(await known('/one')).toMatchObject({ summary: 'The feed speaks.' })
  })

  test('a page and a robots.txt are asked once and then remembered, for a week and for a day', async () => {
    const one = await show('/one')
    await enrich(one)
    await enrich(one)
    expect(host.asked).toEqual(['/robots.txt', '/one'])
    clock.advance(7 * day)
    await enrich(one)
    expect(host.asked).toEqual(['/robots.txt', '/one', '/robots.txt', '/one'])
  })

  test('what robots.txt forbids is not asked, and the record says so', async () => {
    host.answer('/robots.txt', 'User-agent: *\nAllow: /\n\nUser-agent: Lastword\nDisallow: /one\n')
    expect(await enrich(await show('/one'))).toBe(0)
    expect(host.asked).toEqual(['/robots.txt'])
    expect(await pageAt(store.db, `${host.url}/one`)).toMatchObject({
      found: null,
      error: toJson<Reason>({ code: 'page-unreachable', message: 'its robots.txt forbids it' }),
    })
  })

  test('where a page redirects to another host, the robots.txt of that host decides', async () => {
    const other = await startFeedHost()
    closing.push(other.close)
    other.answer('/moved', page)
    host.answer('/old', redirect(301, `${other.url}/moved`))
    const old = await show('/old')
    other.answer('/robots.txt', 'User-agent: *\nDisallow: /moved')
    expect(await enrich(old)).toBe(0)
    expect(other.asked).toEqual(['/robots.txt'])
    const message = `127.0.0.1:${host.port} redirects to 127.0.0.1:${other.port}: its robots.txt forbids it`
    expect(await pageAt(store.db, `${host.url}/old`)).toMatchObject({
      found: null,
      error: toJson<Reason>({ code: 'page-unreachable', message }),
    })
    other.answer('/robots.txt', 'User-agent: *\nAllow: /')
    clock.advance(day + hour)
    expect(await enrich(old)).toBe(1)
    expect(other.asked).toEqual(['/robots.txt', '/robots.txt', '/moved'])
  })

  test('a robots.txt that cannot be reached forbids everything for now; later the page is read after all', async () => {
    host.answer('/robots.txt', (_, response) => void response.writeHead(503).end())
    const one = await show('/one')
    expect(await enrich(one)).toBe(0)
    expect(host.asked).toEqual(['/robots.txt'])
    host.answer('/robots.txt', (_, response) => void response.writeHead(404).end())
    clock.advance(day + hour)
    expect(await enrich(one)).toBe(1)
  })

  test('a robots.txt that cannot be reached is asked again after an hour', async () => {
    host.answer('/robots.txt', (_, response) => void response.writeHead(503).end())
    expect(await enrich(await show('/one'))).toBe(0)
    host.answer('/robots.txt', (_, response) => void response.writeHead(404).end())
    host.answer('/two', html(page))
    clock.advance(59 * minute)
    expect(await enrich(await show('/three'))).toBe(0)
    expect(host.asked).toEqual(['/robots.txt'])
    clock.advance(2 * minute)
    expect(await enrich(await show('/two'))).toBe(1)
    expect(host.asked).toEqual(['/robots.txt', '/robots.txt', '/two'])
  })

  test('of a page of three megabytes the last is not read', async () => {
    const ample = openTestFetcher({ maximumBytes: 10_000_000 })
    closing.push(ample.close)
    const sizes: number[] = []
    const get: Fetcher['get'] = async (url, options) => {
      const fetched = await ample.get(url, options)
      if (fetched.kind === 'ok') sizes.push(fetched.bytes.length)
      return fetched
    }
    host.answer('/long', html(page + ' '.repeat(3 * 1024 * 1024 - page.length)))
    const needs = { db: store.db, fetcher: { ...ample, get }, clock, log: silentLog }
    expect(await enrichArticles(needs, [{ ...(await show('/long')), whole: false }])).toBe(1)
    expect(sizes).toEqual([2 * 1024 * 1024])
  })

  test('a page that fails, or is none, leaves its article as it is and stops no other', async () => {
    host.answer('/film', (_, response) => void response.setHeader('content-type', 'video/mp4').end('x'))
    const articles = [await show('/nothing'), await show('/film'), await show('/one')]
    expect(await enrich(...articles)).toBe(1)
    expect((await known('/film')).summary).toBe('')
    expect(await pageAt(store.db, `${host.url}/film`)).toMatchObject({
      error: toJson<Reason>({ code: 'page-not-html', contentType: 'video/mp4' }),
    })
  })

  test('one page of a host is asked at a time', async () => {
    const articles: WholeArticle[] = []
    for (let number = 0; number < 20; number++) articles.push(await show(`/page/${number}`))
    await enrich(...articles)
    expect(host.asked).toHaveLength(21)
    expect(host.mostAtOnce()).toBe(1)
  })

  test('an article that lacks nothing is not asked for', async () => {
    const whole = {
      ...(await show('/one')),
      summary: 'x',
      author: 'x',
      image: { url: 'x', width: 1, height: 1, alt: '' },
    }
    expect(await enrich(whole)).toBe(0)
    expect(host.asked).toEqual([])
  })

  test('what the page does not say of itself is read out of its text: first sentences, the name under the headline', async () => {
    host.answer('/text', textPage)
    expect(await enrich(await show('/text'))).toBe(1)
    expect(await known('/text')).toMatchObject({
      summary: expect.stringMatching(/^The ferry is back\. .*\.$/),
      author: 'Mira Vance',
    })
  })

  test('the whole text comes from the page where it is wanted and the feed has none, as safe as that of a feed', async () => {
    host.answer('/text', textPage)
    const shown = await show('/text', { summary: 'Own words.', author: 'A. Writer' })
    expect(await enrichFor(true, shown)).toBe(1)
    const { body, summary } = await known('/text')
    expect(summary).toBe('Own words.')
    expect(body?.html).toMatch(/^<p>The ferry is back\. <a href="http:\/\/127\.0\.0\.1:\d+\/quay">The quay<\/a>/)
    expect(body?.html).not.toMatch(/<(?!\/?(?:p|a|b)\b)|onclick|evil|Subscribe/)
    await enrichFor(true, await known('/text'))
    expect(host.asked.filter((path) => path === '/text')).toHaveLength(1)
    const own = { html: '<p>The feed has it.</p>', cut: false }
    await show('/text', { summary: 'Own words.', body: own })
    expect((await known('/text')).body).toEqual(own)
  })

  test('a page that was asked before somebody wanted the whole text is asked again, once', async () => {
    host.answer(
      '/text',
      textPage.replace('<head>', '<head><meta name="description" content="D"><meta name="author" content="M">'),
    )
    const shown = await show('/text')
    await enrich(shown)
    expect((await known('/text')).body).toBeNull()
    for (let round = 0; round < 3; round++) await enrichFor(true, await known('/text'))
    expect((await known('/text')).body?.html).toContain('The ferry is back')
    expect(host.asked.filter((path) => path === '/text')).toHaveLength(2)
  })

  test('a page that nobody can read for its text gives what it says of itself, and is not read again', async () => {
    const meta = '<html><head><meta name="author" content="Mira Vance"></head><body>'
    host.answer(
      '/deep',
      (_, response) => void response.setHeader('content-type', 'text/html').end(meta + '<div>'.repeat(100_000)),
    )
    host.answer(
      '/login',
      (_, response) => void response.setHeader('content-type', 'text/html').end(`${meta}<form>Log in<input></form>`),
    )
    const articles = [await show('/deep'), await show('/login')]
    for (let round = 0; round < 2; round++) await enrichFor(true, ...articles)
    for (const path of ['/deep', '/login'])
      expect(await known(path)).toMatchObject({ author: 'Mira Vance', summary: '', body: null })
    expect(host.asked).toEqual(['/robots.txt', '/deep', '/login'])
  })
})
