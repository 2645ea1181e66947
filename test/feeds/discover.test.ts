import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { discoverFeed } from '../../src/feeds/discover.ts'
import { feedLinks, headerLinks } from '../../src/feeds/parse/page/feed-links.ts'
import type { Fetcher } from '../../src/http/fetcher.ts'
import { type FeedHost, openTestFetcher, redirect, rss, startFeedHost } from '../support/feeds.ts'

let host: FeedHost
let fetcher: Fetcher

beforeEach(async () => {
  host = await startFeedHost()
  fetcher = openTestFetcher()
})
afterEach(async () => {
  await fetcher.close()
  await host.close()
})

const found = async (path: string) => {
  const result = await discoverFeed(fetcher, host.url + path)
  return 'failed' in result
    ? result
    : { ...result, url: result.url.replace(host.url, ''), feed: result.feed.articles.length }
}

test('the address of a feed is that feed, and of one that moved for good its new address', async () => {
  host.answer('/a.xml', rss(['One', 'Two']))
  host.answer('/old', redirect(301, '/a.xml'))
  host.answer('/for-now', redirect(302, '/a.xml'))
  expect(await found('/a.xml')).toMatchObject({ url: '/a.xml', feed: 2, others: [] })
  expect(await found('/old')).toMatchObject({ url: '/a.xml' })
  expect(await found('/for-now')).toMatchObject({ url: '/for-now' })
})

test('a page names its feed, and the first that can be read is it; that of the comments comes last', async () => {
  const link = (href: string, type = 'rss', title = '') =>
    `<link rel="alternate" type="application/${type}+xml" title="${title}" href="${href}">`
  host.answer(
    '/',
    `<html><head>${link('/comments', 'rss', 'Comments')}${link('/broken')}${link('news', 'atom')}</head><body>Hello</body></html>`,
  )
  host.answer('/comments', rss(['A comment']))
  host.answer('/news', rss(['One', 'Two', 'Three']))
  expect(await found('/')).toMatchObject({ url: '/news', feed: 3 })
})

test('where the page names none, the usual places are tried', async () => {
  host.answer('/about/us', '<html><body>Hello</body></html>')
  host.answer('/feed.xml', rss(['One']))
  expect(await found('/about/us')).toMatchObject({ url: '/feed.xml', feed: 1 })
})

test('the usual places are those of the folders of the page as well, the nearest first', async () => {
  host.answer('/blog/', '<html><body>Hello</body></html>')
  host.answer('/blog/news', '<html><body>Hello</body></html>')
  host.answer('/blog/post.html', '<html><body>Hello</body></html>')
  host.answer('/feed', rss(['One']))
  expect(await found('/blog/')).toMatchObject({ url: '/feed' })
  host.answer('/blog/index.xml', rss(['One', 'Two']))
  for (const path of ['/blog/', '/blog/news', '/blog/post.html'])
    expect(await found(path)).toMatchObject({ url: '/blog/index.xml', feed: 2 })
})

test('a page names its feed in a Link header too', async () => {
  const header = '</style.css>; rel=preload; as=style, </a,b;c.xml>; type="application/rss+xml"; rel="alternate"'
  host.answer('/', (_, response) => void response.writeHead(200, { link: header }).end('<html></html>'))
  host.answer('/a,b;c.xml', rss(['One']))
  expect(await found('/')).toMatchObject({ url: '/a,b;c.xml', feed: 1 })
})

test.each([
  ['', []],
  ['<https://other.example/f>; rel="alternate"; type=application/atom+xml', ['https://other.example/f']],
  [
    '<f>;REL=feed, <g>; title="a, <h>; rel=feed"; rel="feed"',
    ['https://site.example/blog/f', 'https://site.example/blog/g'],
  ],
  ['<f>; rel=alternate; type="text/html"', []],
  ['<javascript:alert(1)>; rel=feed', []],
  ['<f'.repeat(4000), []],
  [`<f>${'; a'.repeat(3000)}`, []],
])('of the Link header %.40s the feeds are %j', (header, feeds) => {
  expect(headerLinks(header, 'https://site.example/blog/')).toEqual(feeds)
})

test('a page that does not let us in may have a feed that does; what is not there has none', async () => {
  const answer = (status: number) => (_: unknown, response: ServerResponse) => void response.writeHead(status).end()
  host.answer('/shut', answer(403))
  expect(await found('/shut')).toEqual({
    failed: expect.stringMatching(/answered 403.*, and there is none at \/feed,/),
  })
  host.answer('/feed', rss(['One']))
  expect(await found('/shut')).toMatchObject({ url: '/feed', feed: 1 })
  host.answer('/broken', answer(500))
  host.asked.length = 0
  for (const path of ['/missing', '/broken'])
    expect(await found(path)).toEqual({ failed: expect.stringMatching(/answered/) })
  expect(host.asked).toEqual(['/missing', '/broken'])
})

test('where there is no feed, it says where it has looked', async () => {
  host.answer('/', '<html><head><link rel=alternate type=application/rss+xml href=/gone></head></html>')
  expect(await found('/')).toEqual({ failed: expect.stringMatching(/none of the 1 that it links to.*\/feed\.json/) })
  expect(await found('/nothing')).toEqual({ failed: expect.stringContaining('answered 404') })
})

test('links are read as browsers read them: base, case, quotes, entities; not those in comments, scripts or the body', () => {
  const page = `<!doctype html><HTML><head><base href="https://cdn.example/x/">
    <!-- <link rel=alternate type=application/rss+xml href=/commented> -->
    <script>"<link rel=alternate type=application/rss+xml href=/scripted>"</script>
    <LINK REL='home Alternate' TYPE='Application/RSS+XML' HREF='a?b=1&amp;c=2'/>
    <link rel=alternate type=application/feed+json href=https://other.example/f.json>
    <link rel=alternate hreflang=de href=/de><link rel=stylesheet href=/s.css>
    <link rel=alternate type=application/atom+xml href="javascript:alert(1)">
    <link rel=alternate type=application/atom+xml href='a?b=1&c=2'>
    </head><body><link rel=alternate type=application/rss+xml href=/in-the-body></body></HTML>`
  expect(feedLinks(page, 'https://site.example/')).toEqual([
    'https://cdn.example/x/a?b=1&c=2',
    'https://other.example/f.json',
  ])
})

test.each([
  ['<', '<'.repeat(1_000_000)],
  ['<link', '<link '.repeat(150_000)],
  ['attributes', `<link ${'a="b" '.repeat(150_000)}`],
  ['an open quote', '<link href="'.repeat(90_000)],
  ['comments', '<!--'.repeat(250_000)],
  ['scripts', '<script>'.repeat(120_000)],
])('a page of a megabyte of %s is read in one pass', (_, page) => {
  expect(feedLinks(page, 'https://site.example/')).toEqual([]) // a second pass for each tag would not end in time
})
