import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { compose } from '../../../src/editions/compose/compose.ts'
import { seal } from '../../../src/editions/seal.ts'
import { variantsOf } from '../../../src/store/editions/variants.ts'
import { type Serving, serve } from '../../../src/web/server.ts'
import { openBrowser } from '../../support/browser.ts'
import { sqliteUrl } from '../../support/databases/engines.ts'
import { publishArticles } from '../../support/newsroom.ts'
import { jpeg, openPictureServer } from '../../support/pictures.ts'
import { freePort } from '../../support/ports.ts'
import { makeDatedArticle, newsFeed, openWorld, opinionFeed, type World } from '../../support/world.ts'

let browser: Browser
let it: World
let serving: Serving
let magazine: Awaited<ReturnType<typeof openPictureServer>>

const closing: (() => Promise<unknown> | unknown)[] = []

beforeAll(async () => {
  magazine = await openPictureServer({
    '/lead.jpg': { bytes: await jpeg(1600, 900) },
    '/more.jpg': { bytes: await jpeg(1200, 675) },
    '/writer.jpg': { bytes: await jpeg(400, 400) },
    '/logo.png': { bytes: await jpeg(600, 200) },
  })
  const { url: storeUrl, remove } = sqliteUrl()
  const port = await freePort()
  const web = { url: `http://127.0.0.1:${port}`, host: '127.0.0.1', port, secret: 'a secret of 32 characters, or more' }
  it = await openWorld({ storeUrl, feeds: { allow: [magazine.host] }, config: { web } })
  it.app.config.publication.logo = magazine.url('/logo.png')
  it.app.pictures.logo = magazine.url('/logo.png')
  serving = await serve(it.app)
  browser = await openBrowser()
  closing.push(remove, it.close, serving.close, magazine.close, () => browser.close())
})
afterAll(async () => {
  for (const close of closing.reverse()) await close()
})

function article(title: string, path: string) {
  const image = { url: magazine.url(path), width: null, height: null, alt: `What ${title} looks like` }
  return { ...makeDatedArticle(title, new Date(Date.parse(it.clock.now()) - 60_000)), image }
}

test('an opened email fetches its pictures from our own address alone, and shows them in their size', async () => {
  await publishArticles(it, newsFeed, [article('Trams return', '/lead.jpg'), article('Books open', '/more.jpg')])
  await publishArticles(it, opinionFeed, [article('What trams teach', '/writer.jpg')])
  const made = await compose(it.app, it.digest, it.clock.now())
  const edition = await seal(it.app, made?.id ?? '', it.digest)
  const [variant] = await variantsOf(it.app.db, edition.id)
  magazine.asked.length = 0

  const page = await browser.newPage({ viewport: { width: 1000, height: 800 } })
  const requests: string[] = []
  await page.route('**/*', (route) => {
    requests.push(route.request().url())
    return route.request().url().startsWith(`${it.app.config.web.url}/pictures/`) ? route.continue() : route.abort()
  })
  await page.setContent(variant?.html ?? '', { waitUntil: 'networkidle' })
  const shown = await page.$$eval('img', (images) =>
    images.map(({ alt, naturalWidth, width, height }) => ({ alt, naturalWidth, width, ratio: width / height })),
  )
  expect(requests).toHaveLength(4)
  expect(requests.every((url) => url.startsWith(`${it.app.config.web.url}/pictures/`))).toBe(true)
  expect(magazine.asked).toEqual([])
  expect(shown.map(({ naturalWidth }) => naturalWidth)).toEqual([288, 1072, 320, 224])
  for (const { naturalWidth, width, alt } of shown) expect(naturalWidth, alt).toBeGreaterThanOrEqual(2 * width)
})
