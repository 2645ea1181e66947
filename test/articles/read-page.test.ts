import { afterEach, beforeEach, expect, test } from 'vitest'
import { enrichArticles } from '../../src/articles/enrich.ts'
import { recheckPage } from '../../src/articles/recheck-page.ts'
import { readPageFacts } from '../../src/feeds/parse/page/page-facts.ts'
import { readPageState } from '../../src/feeds/parse/page/page-state.ts'
import { readInWorker } from '../../src/feeds/parse/reader-pool.ts'
import type { Fetcher } from '../../src/http/fetcher.ts'
import { silentLog } from '../../src/log.ts'
import { articlesByIds, articlesByUrl, saveArticles } from '../../src/store/articles/articles.ts'
import { ensureFeeds } from '../../src/store/feeds/feeds.ts'
import { openStore } from '../../src/store/open.ts'
import { fakeClock } from '../support/clock.ts'
import { sqliteUrl } from '../support/databases/engines.ts'
import { type FeedHost, openTestFetcher, startFeedHost } from '../support/feeds.ts'
import { makeDatedArticle } from '../support/world.ts'

let host: FeedHost
let fetcher: Fetcher
let closing: (() => unknown)[] = []

beforeEach(async () => {
  host = await startFeedHost()
  fetcher = openTestFetcher({ timeout: 20, maximumBytes: 10_000_000 })
  closing = [host.close, fetcher.close]
})
afterEach(async () => {
  for (const close of closing.reverse()) await close()
})

const context = { url: 'https://ledger.example/a', contentType: 'text/html' }
const head = (words: string) =>
  `<html><head><meta property="og:title" content="The ferry"><meta name="description" content="${words}"></head><body>`
/** A megabyte that takes a tenth of a second and more to read. */
const heavy = Buffer.from(`${head('It is back.')}<p>correction ${'<'.repeat(1024 * 1024)}`)
const light = Buffer.from(`${head('It is back.')}<p>Correction: an earlier version of this article said Monday.</p>`)

test('a page is read in another thread as it would be in this one, and says the same', async () => {
  for (const page of [light, heavy]) {
    const html = page.toString()
    expect(await readInWorker('facts', page, context)).toEqual(readPageFacts(html, context.url))
    expect(await readInWorker('state', page, context)).toEqual(readPageState(html, context.url))
  }
  expect(readPageFacts(heavy.toString(), context.url)).toMatchObject({ summary: 'It is back.' })
  expect(readPageState(light.toString(), context.url)).toMatchObject({
    title: 'The ferry',
    note: { text: expect.stringMatching(/Monday/) },
  })
})

test('a large page is read, when it is asked again and when it is asked for what a feed leaves out', async () => {
  host.answer('*', (_, response) => void response.setHeader('content-type', 'text/html').end(heavy))
  host.answer('/robots.txt', '')
  const clock = fakeClock()
  const { url: storeUrl, remove } = sqliteUrl()
  const store = await openStore(storeUrl, clock)
  closing.push(remove, store.close)
  const [feed] = await ensureFeeds(store.db, ['https://feeds.example/'], clock.now())
  const url = `${host.url}/one`
  const shown = { ...makeDatedArticle('One', new Date(clock.now())), url, summary: '', author: 'A. Writer' }
  await saveArticles(store.db, feed?.id ?? '', [shown], clock.now())
  const ids = (await articlesByUrl(store.db, url)).map(({ id }) => id)
  const [wanting] = await articlesByIds(store.db, ids)
  if (!wanting) throw new Error('no article')

  const again = await recheckPage(fetcher, url, 20_000)
  const enriched = await enrichArticles({ db: store.db, fetcher, clock, log: silentLog }, [
    { ...wanting, whole: false },
  ])
  expect([again, enriched]).toEqual([expect.objectContaining({ kind: 'there', title: 'The ferry' }), 1])
})

test('of a page that is rechecked only the first megabyte is read', async () => {
  const long = Buffer.concat([light, Buffer.alloc(10_500_000, ' ')])
  host.answer('*', (_, response) => void response.setHeader('content-type', 'text/html').end(long))
  expect(await recheckPage(fetcher, `${host.url}/one`, 20_000)).toMatchObject({ kind: 'there', title: 'The ferry' })
})
