import { afterEach, expect, test } from 'vitest'
import { compose } from '../../src/editions/compose/compose.ts'
import { seal } from '../../src/editions/seal.ts'
import { dryRunEdition } from '../../src/pipeline/dry-run.ts'
import { refreshAndEnrich } from '../../src/pipeline/refresh-and-enrich.ts'
import { articlesByUrl } from '../../src/store/articles/articles.ts'
import { sqliteUrl } from '../support/databases/engines.ts'
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
): Promise<{ host: FeedHost; world: World; list(from: number): void; summaryOf(path: string): Promise<unknown> }> {
  const host = await startFeedHost()
  const { url, remove } = sqliteUrl()
  const items = [1, 2, 3].map(
    (number) => `<item><title>Number ${number}</title><link>${host.url}/${number}</link>
      <pubDate>Fri, 27 Nov 2026 0${6 - number}:00:00 GMT</pubDate></item>`,
  )
  const list = (from: number) =>
    host.answer(
      '/feed',
      `<rss version="2.0"><channel><title>The Magazine</title>${items.slice(from - 1).join('')}</channel></rss>`,
    )
  list(1)
  host.answer('*', (request, response) => {
    if (request.url === '/robots.txt') response.writeHead(404).end()
    else response.setHeader('content-type', 'text/html').end(page)
  })
  const sections = `\n  - { name: latest, title: Latest, layout: latest, feeds: ['${host.url}/feed'], maximum: 2${enrich} }`
  const world = await openWorld({ storeUrl: url, job: { sections }, feeds: { allow: [`127.0.0.1:${host.port}`] } })
  closing.push(remove, host.close, world.close)
  const summaryOf = async (path: string) => (await articlesByUrl(world.app.db, host.url + path))[0]?.summary
  return { host, world, list, summaryOf }
}

test('a section that wants it has the pages asked of the articles that would be chosen, and of no others', async () => {
  const { host, world, summaryOf } = await open(', enrich: true')
  expect(await refreshAndEnrich(world.app, world.digest)).toMatchObject([{ kind: 'read', articles: 3 }])
  expect(host.asked).toEqual(['/feed', '/robots.txt', '/1', '/2'])
  expect([await summaryOf('/1'), await summaryOf('/2'), await summaryOf('/3')]).toEqual([
    'What the page says.',
    'What the page says.',
    '',
  ])
})

test('a section that does not want it has no page asked', async () => {
  const { host, world, summaryOf } = await open('')
  await refreshAndEnrich(world.app, world.digest)
  expect(host.asked).toEqual(['/feed'])
  expect(await summaryOf('/1')).toBe('')
})

test('a section that prints articles whole has the text of a page that its feed leaves out', async () => {
  const { host, world } = await open(', enrich: true, body: full')
  const whole = page.replace('<head>', '<head><meta name="author" content="Mira Vance">')
  const words = 'The people who live by the water said that they had waited for it long enough. '
  host.answer('/1', (_, response) => {
    const text = `<article><p>First {{words}}. ${words.repeat(4)}</p><p>${words.repeat(4)}</p></article>`
    response.setHeader('content-type', 'text/html').end(whole.replace('</html>', `<body>${text}</body></html>`))
  })
  const { draft } = await dryRunEdition(world.app, world.digest)
  const { html, text } = await world.app.render(draft)
  expect(html).toContain('>First {{words}}. The people who live by the water')
  expect(text).toContain('\nFirst {{words}}. The people who live by the water')
  expect(html).toContain('What the page says.')
})

test('what is looked at before is what is sealed then: pages are asked, and what is gone is replaced', async () => {
  const { host, world, list } = await open(', enrich: true')
  const digest = { ...world.digest, lateCheck: true }
  list(2)
  await dryRunEdition(world.app, digest)
  list(1)
  host.answer('/1', (_, response) => void response.writeHead(410).end())
  const ahead = await dryRunEdition(world.app, digest)
  const seen = await world.app.render(ahead.draft)
  expect(ahead.feeds).toMatchObject([{ kind: 'read' }])
  expect(seen.text).toContain('Number 2')
  expect(seen.text).toContain('Number 3')
  expect(seen.text).toContain('What the page says.')
  expect(await world.app.db.selectFrom('editions').selectAll().execute()).toEqual([])

  const composed = await compose(world.app, digest, world.clock.now())
  await seal(world.app, composed?.id ?? '', digest)
  const sealed = await world.app.db.selectFrom('variants').selectAll().executeTakeFirstOrThrow()
  const nobodys = (text: string, slot: string) => text.replaceAll(slot, '')
  expect(nobodys(seen.html, ahead.draft.slot)).toBe(nobodys(sealed.html, sealed.slot))
  expect(nobodys(seen.text, ahead.draft.slot)).toBe(nobodys(sealed.text, sealed.slot))
})
