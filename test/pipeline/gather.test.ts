import { afterEach, expect, test } from 'vitest'
import { gather } from '../../src/gather.ts'
import { articlesByUrl } from '../../src/store/articles.ts'
import { sqliteUrl } from '../support/engines.ts'
import { type FeedHost, startFeedHost } from '../support/feeds.ts'
import { openWorld, type World } from '../support/world.ts'

let closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.reverse()) await close()
  closing = []
})

const page = '<html><head><meta property="og:description" content="What the page says."></head></html>'

/** A feed of three articles without a word, for a section that holds two. */
async function open(
  enrich: string,
): Promise<{ host: FeedHost; world: World; summaryOf(path: string): Promise<unknown> }> {
  const host = await startFeedHost()
  const { url, remove } = sqliteUrl()
  const items = [1, 2, 3].map(
    (number) => `<item><title>Number ${number}</title><link>${host.url}/${number}</link>
      <pubDate>Fri, 27 Nov 2026 0${6 - number}:00:00 GMT</pubDate></item>`,
  )
  host.answer('/feed', `<rss version="2.0"><channel><title>The Magazine</title>${items.join('')}</channel></rss>`)
  host.answer('*', (request, response) => {
    if (request.url === '/robots.txt') response.writeHead(404).end()
    else response.setHeader('content-type', 'text/html').end(page)
  })
  const sections = `\n  - { name: latest, title: Latest, layout: latest, feeds: ['${host.url}/feed'], maximum: 2${enrich} }`
  const world = await openWorld({ storeUrl: url, job: { sections }, feeds: { allow: [`127.0.0.1:${host.port}`] } })
  closing.push(remove, host.close, world.close)
  const summaryOf = async (path: string) => (await articlesByUrl(world.app.db, host.url + path))[0]?.summary
  return { host, world, summaryOf }
}

test('a section that wants it has the pages asked of the articles that would be chosen, and of no others', async () => {
  const { host, world, summaryOf } = await open(', enrich: true')
  expect(await gather(world.app, world.digest)).toMatchObject([{ kind: 'read', articles: 3 }])
  expect(host.asked).toEqual(['/feed', '/robots.txt', '/1', '/2'])
  expect([await summaryOf('/1'), await summaryOf('/2'), await summaryOf('/3')]).toEqual([
    'What the page says.',
    'What the page says.',
    '',
  ])
})

test('a section that does not want it has no page asked', async () => {
  const { host, world, summaryOf } = await open('')
  await gather(world.app, world.digest)
  expect(host.asked).toEqual(['/feed'])
  expect(await summaryOf('/1')).toBe('')
})
